"""Whether a graph computes what its float form does, whatever runs it, on inputs that it was not made from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.judgement.engines import engines
from mmer.calibration.observation.ranges import Wide
from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.backends.session import Session
from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors, TensorSpec

Rows: TypeAlias = Mapping[str, NDArray[np.float32]]
"""Outputs `[R, D]` by name."""

AGREEMENT = 0.999
"""Least cosine between two engines, or levels of one, on one graph; a kernel that is wrong in one shows here."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found; the worst over outputs and engines."""

    cosine: float
    """Between this graph and its float form, each feature taken from its mean: what is the same in all inputs does
    not count."""
    levels: float
    """Cosine between two engines, not centred: where inputs are alike, rounding alone differs as much."""
    error: float
    """The largest difference of a single value."""
    failure: str | None = None
    """Why it does not load or run somewhere."""
    apart: str = ""
    """The two engines that differ most."""

    def fault(self, least: float) -> str | None:
        """Return what is wrong with the graph, `None` when nothing is."""
        if self.failure:
            return self.failure
        if not self.levels >= AGREEMENT:
            return f"{self.apart} disagree about it (cosine {self.levels:.4f}, {AGREEMENT:g} is needed)"
        if not self.cosine >= least:
            return f"centred cosine {self.cosine:.4f}, {least:g} is needed"
        return None


def check(content: bytes, reference: bytes, inputs: Sequence[Tensors]) -> Check:
    """Compare a graph with its float form; some input must be given."""
    floats = OrtSession.open(reference)
    expected = _answers(floats, inputs, floats.outputs)
    found: dict[str, Rows] = {}
    try:
        for title, opened in engines().items():
            found[title] = _answers(opened(content), inputs, floats.outputs)
    except DeviceError as error:
        return Check(0.0, 0.0, math.inf, f"{title}: {error}")
    levels, apart = min((_alike(found[a], found[b]), f"{a} and {b}") for a, b in combinations(found, 2))
    return Check(
        min(worst_cosine(expected, rows) for rows in found.values()),
        levels,
        max(float(np.abs(rows[name] - expected[name]).max()) for rows in found.values() for name in expected),
        apart=apart,
    )


def _alike(rows: Rows, others: Rows) -> float:
    return min(cosine(rows[name].astype(float), others[name].astype(float)) for name in rows)


def worst_cosine(expected: Rows, actual: Rows) -> float:
    """Return the least centred cosine of any output."""
    return min(centred_cosine(rows, actual[name]) for name, rows in expected.items())


def centred_cosine(expected: NDArray[np.float32], actual: NDArray[np.float32]) -> float:
    """Return the cosine of two arrays of rows `[R, D]` about the first one's mean row; a single row is not centred."""
    mean = expected.mean(axis=0, dtype=np.float64) if len(expected) > 1 else 0.0
    return cosine(expected - mean, actual - mean) if expected.shape == actual.shape else 0.0


def cosine(a: Wide, b: Wide) -> float:
    """Return the cosine of two arrays, 0 where one is not finite; without any length they must be equal."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return 0.0
    size = math.sqrt(_dot(a, a) * _dot(b, b))
    return _dot(a, b) / size if size else float(np.array_equal(a, b))


def _dot(a: Wide, b: Wide) -> float:
    return float(np.vdot(a, b))


def outputs(graph: Path | bytes, inputs: Sequence[Tensors], settings: OrtSettings = OrtSettings()) -> Rows:
    """Return every float output of a graph, run by ONNX Runtime, as rows `[R, D]` over all inputs."""
    session = OrtSession.open(graph, settings)
    return _answers(session, inputs, session.outputs)


def _answers(session: Session, inputs: Sequence[Tensors], specs: Sequence[TensorSpec]) -> Rows:
    made = [session.run(given) for given in inputs]
    compared = [spec for spec in specs if spec.dtype == "float32"]
    return {spec.name: np.concatenate([_rows(output[spec.name], spec) for output in made]) for spec in compared}


def _rows(array: NDArray[np.float32], spec: TensorSpec) -> NDArray[np.float32]:
    """Return `[R, D]` with the axes behind the last one that varies as features; all rows have one length then."""
    free = [axis for axis, size in enumerate(spec.shape) if isinstance(size, str)]
    width = math.prod(array.shape[max(free, default=0) + 1 :])
    return array.reshape(-1, width)
