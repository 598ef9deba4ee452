"""Answers beside the truth, and what they are worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bench import metrics
from mmer.edge.bench.intervals import ACROSS, WITHIN, Bootstrap, Interval, Picked, interval
from mmer.edge.bench.metrics import PerClass, Scores

Metric: TypeAlias = Callable[[NDArray[np.int64]], float]
"""From a confusion matrix to a figure."""

METRICS: Mapping[str, Metric] = {
    "accuracy": metrics.accuracy,
    "uar": metrics.uar,
    "macro_f1": metrics.macro_f1,
    "ovr_accuracy": metrics.ovr_accuracy,
}
"""Those that get an interval."""

USUAL = Bootstrap()


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Answers beside the truth."""

    truth: NDArray[np.intp]
    """`[N]` class indices."""
    probabilities: NDArray[np.float64]
    """`[N, K]`."""
    speakers: Sequence[str]

    @property
    def predicted(self) -> NDArray[np.intp]:
        """The likeliest class of every clip, `[N]`."""
        likeliest: NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return likeliest

    def counts(self, picked: Picked | slice = slice(None)) -> NDArray[np.int64]:
        """Return the confusion matrix of some clips, or of all."""
        return metrics.confusion(self.truth[picked], self.predicted[picked], self.probabilities.shape[1])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures for one set of answers."""

    scores: Scores
    intervals: Mapping[str, Interval]
    """By metric: clips drawn again within speakers."""
    across: Mapping[str, Interval]
    """By metric: speakers drawn again, each with all clips; NaN for a single speaker."""
    per_class: Mapping[str, Mapping[str, float]]
    per_speaker: Mapping[str, Mapping[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    """Rows the true class."""


def judge(judged: Judged, labels: Sequence[str], bootstrap: Bootstrap = USUAL) -> Evaluation:
    """Compare answers with the truth."""
    counts = judged.counts()
    classes = PerClass.of(counts)
    areas = metrics.aucs(judged.truth, judged.probabilities)
    speakers = np.asarray(judged.speakers)
    return Evaluation(
        Scores.of(judged.truth, judged.probabilities),
        _intervals(judged, replace(bootstrap, draw=WITHIN)),
        _intervals(judged, replace(bootstrap, draw=ACROSS)),
        {
            label: {
                "precision": float(classes.precision[k]),
                "recall": float(classes.recall[k]),
                "f1": float(classes.f1[k]),
                "auc": float(areas[k]),
                "clips": int(classes.support[k]),
            }
            for k, label in enumerate(labels)
        },
        {name: _speaker(judged.counts(np.flatnonzero(speakers == name))) for name in sorted(set(judged.speakers))},
        tuple(tuple(int(count) for count in row) for row in counts),
    )


def _intervals(judged: Judged, bootstrap: Bootstrap) -> dict[str, Interval]:
    return {
        name: interval(partial(_figure, metric, judged), judged.speakers, bootstrap) for name, metric in METRICS.items()
    }


def _figure(metric: Metric, judged: Judged, picked: Picked) -> float:
    return metric(judged.counts(picked))


def _speaker(counts: NDArray[np.int64]) -> dict[str, float]:
    return {"clips": int(counts.sum()), "accuracy": metrics.accuracy(counts), "uar": metrics.uar(counts)}
