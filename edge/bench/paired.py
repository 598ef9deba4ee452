"""How two ways to answer the same clips differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bench.intervals import Bootstrap, Interval, Picked, interval
from mmer.edge.bench.judged import USUAL, Judged, Metric
from mmer.edge.bench.metrics import uar

POINTS = 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """One set of answers against another about the same clips."""

    difference: Interval
    """Of the UAR in points, the reference taken away; every bootstrap draws the same clips of both."""
    mcnemar_p: float
    agreement_clips: float
    """Share of clips with the same label."""


def compare(reference: Judged, other: Judged, bootstrap: Bootstrap = USUAL) -> Comparison:
    """Compare answers with those of the reference, clip by clip."""
    right, other_right = reference.predicted == reference.truth, other.predicted == other.truth
    return Comparison(
        difference(reference, other, uar, bootstrap),
        mcnemar(int((right & ~other_right).sum()), int((other_right & ~right).sum())),
        agreement(reference.predicted, other.predicted),
    )


def difference(reference: Judged, other: Judged, metric: Metric, bootstrap: Bootstrap = USUAL) -> Interval:
    """Return by how many points a metric lies above that of the reference."""

    def gained(picked: Picked) -> float:
        return POINTS * (metric(other.counts(picked)) - metric(reference.counts(picked)))

    return interval(gained, reference.speakers, bootstrap)


def mean_difference(
    references: Sequence[Judged], others: Sequence[Judged], metric: Metric, bootstrap: Bootstrap = USUAL
) -> Interval:
    """Return by how many points a metric lies above that of the reference on average over several trainings of each.

    The n-th of both had the same seed and answered the same clips. Every bootstrap draws trainings and clips again, so
    that the interval speaks of other seeds too.
    """
    pairs = list(zip(references, others, strict=True))
    rng = np.random.default_rng(bootstrap.seed + 1)

    def gained(runs: Sequence[int], picked: Picked) -> float:
        gains = [metric(pairs[run][1].counts(picked)) - metric(pairs[run][0].counts(picked)) for run in runs]
        return POINTS * float(np.mean(gains))

    def again(picked: Picked) -> float:
        return gained(rng.integers(len(pairs), size=len(pairs)).tolist(), picked)

    clips = np.arange(len(references[0].truth))
    drawn = interval(again, references[0].speakers, bootstrap)
    return replace(drawn, value=gained(range(len(pairs)), clips))


def mcnemar(lost: int, won: int) -> float:
    """Return the exact two-sided p of McNemar's test (1947, the binomial form).

    How likely is a split as uneven as this one of the clips that one of the two alone answers rightly, if both were
    as good as each other?
    """
    discordant = lost + won
    tail = sum(comb(discordant, k) for k in range(min(lost, won) + 1))
    return min(1.0, 2 * tail / (1 << discordant))


def agreement(first: NDArray[np.intp] | Sequence[int], second: NDArray[np.intp] | Sequence[int]) -> float:
    """Return the share of places with equal labels."""
    return float(np.mean(np.asarray(first) == np.asarray(second)))
