"""Answers of which several may hold at once, thresholds for them, and what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bench.metrics import Doubles, area
from mmer.edge.errors import SettingError

Marks = NDArray[np.bool_]
"""`[N, K]`, whether a class holds for a clip."""

GRID: tuple[float, ...] = tuple(step / 100 for step in range(5, 100, 5))
"""0.05 to 0.95, as the first of the published systems tries them."""
FITTED_ON = "val"


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Answers beside the truth."""

    truth: Marks
    probabilities: Doubles
    """`[N, K]`, each class by itself."""
    split: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability on each class holds, `K` of them."""

    values: tuple[float, ...]

    @classmethod
    def fit(cls, marked: Marked, grid: Sequence[float] = GRID) -> "Thresholds":
        """Choose the threshold of the best F1 for each class, the lowest of several.

        Raises `SettingError` for answers to anything but the validation split: the test would flatter itself.
        """
        if marked.split != FITTED_ON:
            raise SettingError(f"thresholds are fitted on the split {FITTED_ON!r}, not on {marked.split!r}")
        scores = np.stack([_f1(*_counts(marked.truth, marked.probabilities >= level)) for level in grid])
        return cls(tuple(grid[place] for place in scores.argmax(axis=0)))

    def marks(self, probabilities: Doubles) -> Marks:
        """Return which classes hold, `[N, K]`."""
        return np.asarray(probabilities >= np.array(self.values))


@dataclass(frozen=True, slots=True, eq=False)
class MarkedScores:
    """Figures of each class by itself, `[K]`; 0 where a share is of nothing, the AUC NaN."""

    accuracy: Doubles
    mosei_weighted_accuracy: Doubles
    """(TP * N/P + TN) / 2N of P positives and N negatives, the balanced accuracy."""
    precision: Doubles
    recall: Doubles
    f1: Doubles
    auc: Doubles
    support: NDArray[np.int64]
    """Clips of the class."""

    @classmethod
    def of(cls, marked: Marked, thresholds: Thresholds) -> "MarkedScores":
        """Compare what the thresholds make of the probabilities with the truth."""
        marks = thresholds.marks(marked.probabilities)
        hits, told, support = _counts(marked.truth, marks)
        negatives = len(marks) - support
        quiet = negatives - (told - hits)
        columns = zip(marked.truth.T, marked.probabilities.T, strict=True)
        return cls(
            (hits + quiet) / len(marks),
            (_share(hits, support) + _share(quiet, negatives)) / 2,
            _share(hits, told),
            _share(hits, support),
            _f1(hits, told, support),
            np.array([area(truth, scores) for truth, scores in columns]),
            support,
        )

    def macro(self, values: Doubles) -> float:
        """Return the mean over classes that some clip has."""
        return float(values[self.support > 0].mean())

    def weighted(self, values: Doubles) -> float:
        """Return the mean over classes, each counting as often as clips have it."""
        return float(values @ self.support / self.support.sum())


def _counts(truth: Marks, marks: Marks) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each class is hit, told and true, `[K]` each."""
    return (truth & marks).sum(axis=0), marks.sum(axis=0), truth.sum(axis=0)


def _f1(hits: NDArray[np.int64], told: NDArray[np.int64], support: NDArray[np.int64]) -> Doubles:
    return _share(2 * hits, told + support)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Doubles:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
