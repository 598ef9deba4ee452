"""What each engine makes of a graph, beside what the graph means."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.exact.reference import Reference
from mmer.calibration.exact.value import Value
from mmer.edge.backends.ort import OPTIMISATION_LEVELS, OrtSession, OrtSettings
from mmer.edge.backends.session import Session
from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors

Engines = Mapping[str, Callable[[bytes], Session]]
"""By name, what opens a graph; raises `DeviceError`, also when it runs."""

REFUSED = "refused"
WRONG = "wrong"
COARSE = "coarse"
"""Beyond what float arithmetic may do, within one level at every quantisation: a kernel that rounds its own way."""

_LAX = 1.0
_VARIABLE = (
    (r"[\w./\-]*/[\w.\-]+\.(cc|cpp|h|hpp)(:\d+)?", ""),
    (r"(?i)\b(name|node|nodes|initializer|tensor|input|output)s?\s*[:(]\s*['\"]?[^'\")\s,]+['\")]*", r"\1"),
    (r"'[^']*'|\"[^\"]*\"|\([^()]*\)|\{[^}]*\}", ""),
    (r"\b\w*\d+\w*\b", ""),
    (r"[^\w:]+", " "),
)
"""What differs between two graphs with one fault: places, names, sizes."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that goes wrong, in the engines where it does."""

    kind: str
    engines: tuple[str, ...]
    message: str = field(default="", compare=False)
    """As the engine said it."""
    said: str = ""
    """The message without what differs between graphs."""


def ort_engines() -> Engines:
    """Return ONNX Runtime at its four levels."""
    return {
        f"ort-{level}": lambda content, level=level: OrtSession.open(content, OrtSettings(optimisation=level))  # type: ignore[misc]
        for level in OPTIMISATION_LEVELS
    }


def symptoms(model: onnx.ModelProto, inputs: Tensors, engines: Engines) -> Sequence[Symptom]:
    """Return what goes wrong, engines with the same symptom together; nothing where all refuse a graph alike.

    Raises `UnknownOperatorError` for a graph that the reference cannot judge.
    """
    strict, lax = (Reference(model, slack).outputs(inputs) for slack in (0.0, _LAX))
    content = model.SerializeToString()
    groups: dict[tuple[str, str], list[str]] = {}
    spoken: dict[tuple[str, str], str] = {}
    for name, opened in engines.items():
        kind, message = _judged(opened, content, inputs, (strict, lax))
        groups.setdefault((kind, unspecific(message)), []).append(name)
        spoken.setdefault((kind, unspecific(message)), message)
    refused = {name for (kind, _), names in groups.items() if kind == REFUSED for name in names}
    if refused == set(engines):
        return []
    return [Symptom(kind, tuple(names), spoken[kind, said], said) for (kind, said), names in groups.items() if kind]


def unspecific(message: str) -> str:
    """Return a message without names, sizes and places, by which two failures are told to be one."""
    for pattern, kept in _VARIABLE:
        message = re.sub(pattern, kept, message)
    return message.strip()[:160]


def beyond(expected: Mapping[str, Value], got: Tensors) -> bool:
    """Tell whether some number lies outside its radius."""
    return any(
        got[name].shape != value.centre.shape
        or not np.all(np.abs(got[name].astype(np.float64) - value.centre) <= value.radius)
        for name, value in expected.items()
    )


def _judged(
    opened: Callable[[bytes], Session],
    content: bytes,
    inputs: Tensors,
    expected: tuple[Mapping[str, Value], Mapping[str, Value]],
) -> tuple[str, str]:
    try:
        got = opened(content).run(inputs)
    except DeviceError as error:
        return REFUSED, str(error)
    strict, lax = expected
    if not beyond(strict, got):
        return "", ""
    return (WRONG if beyond(lax, got) else COARSE), ""
