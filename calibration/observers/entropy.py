"""The range whose levels tell most of how values are distributed.

Of ranges symmetric about 0, each is written on `LEVELS` levels, and the one whose distribution diverges least from
that of the values is taken (Migacz 2017, 8-bit inference with TensorRT), step by step as ONNX Runtime does it.
"""

import numpy as np

from mmer.calibration.observation.histogram import Counts, Histogram
from mmer.calibration.observation.ranges import Range, Wide
from mmer.calibration.observation.statistics import Statistics

BINS = 2048
"""Between the largest magnitude and its negative."""
LEVELS = 256
_LITTLE = 1e-4
"""Given to empty bins, and taken from the others."""


def entropy(statistics: Statistics, *, centred: bool) -> Range:
    """Return the range of least Kullback-Leibler divergence."""
    seen = statistics.seen.range(centred=centred)
    if not seen.peak:
        return seen
    counts = _symmetric(statistics.histogram(centred=centred), seen.peak)
    widths = range(LEVELS // 2, BINS // 2 + 1)
    found = widths[int(np.argmin([_divergence(counts, width) for width in widths]))]
    unit = 2 * seen.peak / BINS
    return Range(-found * unit, min(found + 1, BINS // 2) * unit).within(seen)


def _symmetric(histogram: Histogram, peak: float) -> Counts:
    """Return counts of `BINS` bins about 0."""
    whole = np.concatenate([[0], np.cumsum(histogram.counts)])
    below = np.interp(np.linspace(-peak, peak, BINS + 1), histogram.edges, whole)
    counts: Counts = np.diff(np.rint(below)).astype(np.int64)
    return counts


def _divergence(counts: Counts, width: int) -> float:
    """Return how far levels between so many bins on both sides of 0 are from all values."""
    start, end = BINS // 2 - width, min(BINS // 2 + width + 1, BINS)
    inside = counts[start:end]
    exact = inside.copy()
    exact[0] += counts[:start].sum()
    exact[-1] += counts[end:].sum()
    together = len(inside) // LEVELS
    levels = inside[: LEVELS * together].reshape(LEVELS, together).sum(axis=1)
    levels[-1] += inside[LEVELS * together :].sum()
    filled = (exact[: LEVELS * together] != 0).reshape(LEVELS, together)
    each = levels // np.maximum(filled.sum(axis=1), 1) * filled.any(axis=1)
    coarse = np.zeros_like(exact)
    coarse[: LEVELS * together] = each.repeat(together)
    return _relative(_smooth(exact), _smooth(coarse))


def _smooth(counts: Counts) -> Wide:
    empty = counts == 0
    taken = _LITTLE * empty.sum() / max((~empty).sum(), 1)
    return np.where(empty, _LITTLE, counts - taken)


def _relative(exact: Wide, coarse: Wide) -> float:
    p, q = exact / exact.sum(), coarse / coarse.sum()
    return float((p * np.log(p / q)).sum())
