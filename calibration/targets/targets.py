"""All targets by name, and the one that suits a processor."""

from collections.abc import Mapping, Sequence

from mmer.calibration.judgement.engines import openvino
from mmer.calibration.recipe import Recipe
from mmer.calibration.targets.arm import ARM
from mmer.calibration.targets.openvino import OPENVINO
from mmer.calibration.targets.ort import ORT, ORT7
from mmer.calibration.targets.tensorrt import TENSORRT
from mmer.edge.backends.targets import ort_targets
from mmer.edge.errors import SettingError

TARGETS: Mapping[str, Recipe] = {recipe.target: recipe for recipe in (ORT, ORT7, ARM, TENSORRT, OPENVINO)}
ALL = "all"


def recipe_for(features: Sequence[str]) -> Recipe:
    """Return the recipe for ONNX Runtime on a processor with these of `doctor.cpu.FEATURES`."""
    return TARGETS[ort_targets(features)[0]]


def recipes_for(names: Sequence[str], features: Sequence[str]) -> tuple[Recipe, ...]:
    """Return the recipes of these names, those for the processor first; the best of them where there is no name.

    Raises `SettingError` for an unknown name and `MissingDependencyError` where the runtime that must judge is absent.
    """
    wanted = TARGETS if ALL in names else dict.fromkeys(names)
    if unknown := sorted(wanted.keys() - TARGETS.keys()):
        raise SettingError(f"target is {unknown[0]!r}, not one of {', '.join((*TARGETS, ALL))}")
    if OPENVINO.target in wanted:
        openvino()
    here = ort_targets(features)
    ordered = sorted(wanted, key=lambda name: here.index(name) if name in here else len(here))
    return tuple(TARGETS[name] for name in ordered) or (recipe_for(features),)
