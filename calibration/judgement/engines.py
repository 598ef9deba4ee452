"""What a file is run by: all that must agree about it, and the one that it is made for."""

import importlib.util
from collections.abc import Callable, Mapping
from functools import partial

from mmer.calibration.recipe import Recipe
from mmer.edge.backends.ort import OPTIMISATION_LEVELS, OrtSession, OrtSettings
from mmer.edge.backends.session import Session
from mmer.edge.backends.targets import ort_targets
from mmer.edge.doctor.examine import processor
from mmer.edge.errors import MissingDependencyError

Opener = Callable[[bytes], Session]

_OPENVINO = "openvino"


def engines() -> Mapping[str, Opener]:
    """Return ONNX Runtime at every optimisation level, and OpenVINO where it is installed."""
    levels = {level: OrtSettings(optimisation=level) for level in OPTIMISATION_LEVELS}
    found: dict[str, Opener] = {
        f"ONNX Runtime at level {level}": partial(OrtSession.open, settings=settings)
        for level, settings in levels.items()
    }
    return found | ({"OpenVINO": openvino()} if has_openvino() else {})


def has_openvino() -> bool:
    """Tell whether OpenVINO is installed; it is not loaded."""
    return importlib.util.find_spec(_OPENVINO) is not None


def openvino() -> Opener:
    """Return what opens graphs in OpenVINO; raise `MissingDependencyError` where it is not installed."""
    if not has_openvino():
        raise MissingDependencyError("OpenVINO", _OPENVINO)
    from mmer.edge.backends.openvino import OvSession  # noqa: PLC0415

    return OvSession.open


def runs_here(recipe: Recipe) -> bool:
    """Tell whether `mmer run` may take the form on this machine."""
    return recipe.target in ort_targets(processor().features)


def own(recipe: Recipe) -> Opener | None:
    """Return what opens the form as it is meant to be run, `None` where this machine cannot."""
    if recipe.engine == _OPENVINO:
        return openvino()
    return OrtSession.open if runs_here(recipe) else None
