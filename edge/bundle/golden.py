"""Golden inputs and outputs of a graph, and whether a session still computes them on this machine.

They are needed because kernels differ: ONNX Runtime 1.31 can destroy a quantised softmax without an error, and other
INT8 answers depend on the processor's instructions.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.session import Session
from mmer.edge.bundle.arrays import pack, unpack
from mmer.edge.errors import BundleError, DeviceError
from mmer.edge.tensors import Tensors

_NARROWEST = 0.01  # an output that hardly varies would make rounding look like an error


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What a graph computed from some inputs."""

    inputs: Tensors
    outputs: Tensors


@dataclass(frozen=True, slots=True)
class Deviation:
    """The worst difference, as a share of the range that the golden output spans."""

    case: int
    output: str
    value: float
    """Infinite for another shape or a value that is not finite."""


class GoldenReplayError(DeviceError):
    """A graph does not compute its golden outputs on this machine."""

    def __init__(self, graph: str, worst: Deviation, tolerance: float) -> None:
        super().__init__(
            f"graph {graph}: output {worst.output} of golden case {worst.case} is off by {worst.value:.3g} of its "
            f"range, {tolerance:.3g} is allowed; this machine computes it wrongly, use another precision or backend"
        )


def replay(session: Session, cases: Sequence[Case]) -> Deviation:
    """Run every case and return the worst deviation; raise `DeviceError` when the session fails."""
    found = [d for number, case in enumerate(cases) for d in _deviations(number, case, session.run(case.inputs))]
    return max(found, key=lambda deviation: deviation.value)


def check_golden(graph: str, session: Session, cases: Sequence[Case], tolerance: float) -> Deviation:
    """Return what `replay` does; raise `GoldenReplayError`, naming `graph`, when it is more than the tolerance."""
    worst = replay(session, cases)
    if worst.value > tolerance:
        raise GoldenReplayError(graph, worst, tolerance)
    return worst


def encode(cases: Sequence[Case]) -> bytes:
    """Return the cases as an `.npz`."""
    return pack(
        {
            f"{number:04}.{side}.{name}": array
            for number, case in enumerate(cases)
            for side, tensors in (("inputs", case.inputs), ("outputs", case.outputs))
            for name, array in tensors.items()
        }
    )


def decode(content: bytes, path: str | os.PathLike[str]) -> tuple[Case, ...]:
    """Return the cases that `encode` wrote, at least one; raise `BundleError`, naming `path`, for anything else."""
    cases: dict[str, dict[str, dict[str, NDArray[Any]]]] = {}
    for key, array in unpack(content, path).items():
        number, _, rest = key.partition(".")
        side, _, name = rest.partition(".")
        if side not in ("inputs", "outputs") or not name or not np.isfinite(array).all():
            raise BundleError(path, f"{key!r:.80} is not a usable golden value")
        cases.setdefault(number, {"inputs": {}, "outputs": {}})[side][name] = array
    if not cases or not all(case["outputs"] for case in cases.values()):
        raise BundleError(path, "there are no golden outputs")
    return tuple(Case(**cases[number]) for number in sorted(cases))


def _deviations(number: int, case: Case, got: Tensors) -> list[Deviation]:
    return [Deviation(number, name, _deviation(wanted, got.get(name))) for name, wanted in case.outputs.items()]


def _deviation(wanted: NDArray[Any], got: NDArray[Any] | None) -> float:
    if got is None or got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    if not wanted.size:
        return 0.0
    exact = wanted.astype(np.float64)
    return float(np.abs(got - exact).max() / max(np.ptp(exact), _NARROWEST))
