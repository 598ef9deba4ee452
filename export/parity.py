"""The gate: an exported graph computes what the float model computes, or `ParityError` says where it does not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.ort import OPTIMISATION_LEVELS, OrtSession, OrtSettings
from mmer.edge.bundle.plan import LOGITS
from mmer.edge.errors import DeviceError, ParityError
from mmer.edge.tensors import Tensors

TOLERANCE = 1e-4
"""Allowed error for an output whose values span 1 or less; more in proportion for a wider one."""

DECISIVE = 10.0
"""Tolerances between the two largest logits from which on the decision may not change."""

SPREAD = 0.5
"""Standard deviation over the cases that the logits of each class must reach for a comparison to mean something."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the float model computes from some inputs, with a name that tells what is special about them."""

    name: str
    inputs: Tensors
    outputs: Tensors


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was computed."""

    graph: str
    case: str
    level: str
    """ONNX Runtime's optimisation level."""

    def __str__(self) -> str:
        return f"graph {self.graph} at optimisation {self.level}, case {self.case}"


@dataclass(frozen=True, slots=True)
class Difference:
    """The worst value of one output in one case."""

    place: Place
    output: str
    worst: float
    tolerance: float


class UnequalError(ParityError):
    """An output is further from the float model's than its tolerance."""

    def __init__(self, found: Difference) -> None:
        super().__init__(
            f"{found.place}: output {found.output} is off by {found.worst:.3g}, "
            f"more than {found.tolerance:.3g}; the graph does not compute what the model computes, do not use it"
        )


class OtherDecisionError(ParityError):
    """The largest logit is another one than the float model's."""

    def __init__(self, found: Difference, classes: tuple[int, int]) -> None:
        super().__init__(
            f"{found.place}: output {found.output} decides for class {classes[1]} instead of {classes[0]} "
            f"(worst value {found.worst:.3g}, tolerance {found.tolerance:.3g}); do not use the graph"
        )


class UnusableError(ParityError):
    """A graph does not load or run."""

    def __init__(self, place: Place, reason: DeviceError) -> None:
        super().__init__(f"{place}: {reason}")


class FlatLogitsError(ParityError):
    """The logits hardly depend on the inputs, so that every comparison would pass."""

    def __init__(self, least: float) -> None:
        super().__init__(
            f"the logits vary by a standard deviation of {least:.3g} over the cases and {SPREAD} is needed: "
            "the comparison proves nothing; train the model or enliven its random weights"
        )


def check_graph(name: str, content: bytes, cases: Sequence[Case]) -> tuple[Difference, ...]:
    """Run a graph at every optimisation level over the cases and return what `compare` does."""
    found: list[Difference] = []
    for level in OPTIMISATION_LEVELS:
        place = Place(name, "none yet", level)
        try:
            session = OrtSession.open(content, OrtSettings(optimisation=level))
            for case in cases:
                place = Place(name, case.name, level)
                found += compare(case.outputs, session.run(case.inputs), place)
        except DeviceError as error:
            raise UnusableError(place, error) from error
    return tuple(found)


def compare(expected: Tensors, actual: Tensors, place: Place) -> tuple[Difference, ...]:
    """Return the worst difference of every output; raise `ParityError` for the first one that is too large."""
    found = []
    for output, values in expected.items():
        difference = Difference(place, output, _worst(values, actual[output]), tolerance(values))
        if output == LOGITS:
            _decide(values, actual[output], difference)
        if not difference.worst <= difference.tolerance:  # NaN too
            raise UnequalError(difference)
        found.append(difference)
    return tuple(found)


def tolerance(values: NDArray[Any]) -> float:
    """Return the error that is allowed against these values."""
    return TOLERANCE * max(1.0, float(np.ptp(values)))


def spread(logits: Sequence[NDArray[Any]]) -> tuple[float, ...]:
    """Return the standard deviation of each class over the `[1, K]` logits of all cases."""
    return tuple(float(s) for s in np.concatenate(logits).std(axis=0))


def refuse_flat(spreads: Sequence[float]) -> None:
    """Raise `FlatLogitsError` when the logits of some class hardly vary."""
    if min(spreads) < SPREAD:
        raise FlatLogitsError(min(spreads))


def _worst(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    if expected.shape != actual.shape:
        return math.inf
    return float(np.abs(expected.astype(np.float64) - actual).max())


def _decide(expected: NDArray[Any], actual: NDArray[Any], difference: Difference) -> None:
    """Raise `OtherDecisionError` when a clear decision is not the same; logits are `[1, K]`."""
    second, first = np.sort(expected[0])[-2:]
    classes = int(expected[0].argmax()), int(actual[0].argmax())
    if first - second > DECISIVE * difference.tolerance and classes[0] != classes[1]:
        raise OtherDecisionError(difference, classes)
