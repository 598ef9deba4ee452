"""What a classifier gets right. Every figure has one meaning and keeps its name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.intp]
"""`[N]` class indices."""
Doubles = NDArray[np.float64]

RARE = 0.5
"""A class is rare below this part of an even share of the clips."""


def confusion(truth: Classes, predicted: Classes, classes: int) -> NDArray[np.int64]:
    """Return counts `[K, K]`, rows the true class, columns the predicted one."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class PerClass:
    """Each class against all others, `[K]` each; 0 where a share is of nothing."""

    precision: Doubles
    recall: Doubles
    f1: Doubles
    support: NDArray[np.int64]
    """Clips of the class."""
    counted: NDArray[np.bool_]
    """Whether the class stands in the truth or the predictions; means are over those."""

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> "PerClass":
        """Read them off a confusion matrix `[K, K]`."""
        hits, support, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
        return cls(
            _share(hits, predicted),
            _share(hits, support),
            _share(2 * hits, support + predicted),
            support,
            support + predicted > 0,
        )

    def macro(self, values: Doubles) -> float:
        """Return the mean over classes, each counting the same."""
        return float(values[self.counted].mean())

    def weighted(self, values: Doubles) -> float:
        """Return the mean over clips, each with the value of its class."""
        return float(values @ self.support / self.support.sum())


def accuracy(counts: NDArray[np.int64]) -> float:
    """Return the share of clips whose class was found."""
    return float(np.trace(counts) / counts.sum())


def uar(counts: NDArray[np.int64]) -> float:
    """Return the unweighted average recall, or balanced accuracy: the mean over classes that occur."""
    support = counts.sum(axis=1)
    return float(_share(np.diagonal(counts), support)[support > 0].mean())


def macro_f1(counts: NDArray[np.int64]) -> float:
    """Return the mean F1 over classes that occur or are predicted."""
    classes = PerClass.of(counts)
    return classes.macro(classes.f1)


def ovr_accuracy(counts: NDArray[np.int64]) -> float:
    """Return the mean over classes of the accuracy of "this class or not".

    True negatives count, so that chance on K balanced classes is not 1/K: some papers print this as accuracy.
    """
    errors = counts.sum() - np.trace(counts)
    return float(1 - 2 * errors / (len(counts) * counts.sum()))


def rare_f1(counts: NDArray[np.int64]) -> float:
    """Return the mean F1 over the rare classes, as `RARE` has it; NaN when none is rare."""
    classes = PerClass.of(counts)
    occurs = classes.support > 0
    rare = occurs & (classes.support < RARE * counts.sum() / occurs.sum())
    return float(classes.f1[rare].mean()) if rare.any() else float("nan")


def mosei_weighted_accuracy(counts: NDArray[np.int64]) -> float:
    """Return the mean over classes of the balanced accuracy of "this class or not"; NaN when no class can tell.

    CMU-MOSEI's papers call (TP * N/P + TN) / 2N weighted accuracy. Chance is 1/2 for any number of classes, and it is
    neither the accuracy nor the recall weighted by clips. Classes that no clip or every clip has are left out.
    """
    total, hits, support = counts.sum(), np.diagonal(counts), counts.sum(axis=1)
    others = total - support
    told = _share(hits, support) + _share(others - counts.sum(axis=0) + hits, others)
    known = (support > 0) & (others > 0)
    return float(told[known].mean() / 2) if known.any() else float("nan")


def aucs(truth: Classes, probabilities: Doubles) -> Doubles:
    """Return the area under the ROC curve of each class against the rest, `[K]`; NaN where no or every clip has it."""
    return np.array([area(truth == k, column) for k, column in enumerate(probabilities.T)])


def auc(truth: Classes, probabilities: Doubles) -> float:
    """Return the mean of `aucs` over the classes that can tell, NaN when none can."""
    areas = aucs(truth, probabilities)
    known = areas[~np.isnan(areas)]
    return float(known.mean()) if len(known) else float("nan")


def ece(truth: Classes, probabilities: Doubles, bins: int = 15) -> float:
    """Return the expected calibration error over equal-width bins (Guo et al. 2017), 0..1.

    The mean gap between how sure the answers `[N, K]` are and how often they are right.
    """
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.clip(np.ceil(sure * bins).astype(np.intp) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=right - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def area(positive: NDArray[np.bool_], scores: Doubles) -> float:
    """Return the share of pairs `[N]` that the scores put in order; ties count half, NaN where there is no pair."""
    count = int(positive.sum())
    if not 0 < count < len(positive):
        return float("nan")
    _, place, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[place]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Doubles:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything at once, as the bench and the evaluation print it."""

    clips: int
    accuracy: float
    uar: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    rare_f1: float
    """NaN when no class is rare."""
    ovr_accuracy: float
    mosei_weighted_accuracy: float
    auc: float
    ece: float

    @classmethod
    def of(cls, truth: Classes, probabilities: Doubles) -> "Scores":
        """Compare class indices `[N]` with probabilities `[N, K]`."""
        counts = confusion(truth, probabilities.argmax(axis=1), probabilities.shape[1])
        classes = PerClass.of(counts)
        return cls(
            clips=len(truth),
            accuracy=accuracy(counts),
            uar=uar(counts),
            macro_precision=classes.macro(classes.precision),
            macro_recall=classes.macro(classes.recall),
            macro_f1=classes.macro(classes.f1),
            weighted_precision=classes.weighted(classes.precision),
            weighted_recall=classes.weighted(classes.recall),
            weighted_f1=classes.weighted(classes.f1),
            rare_f1=rare_f1(counts),
            ovr_accuracy=ovr_accuracy(counts),
            mosei_weighted_accuracy=mosei_weighted_accuracy(counts),
            auc=auc(truth, probabilities),
            ece=ece(truth, probabilities),
        )
