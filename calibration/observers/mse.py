"""The range for which rounding and cutting off together cost least."""

import numpy as np

from mmer.calibration.observation.histogram import Counts
from mmer.calibration.observation.ranges import Range, Wide
from mmer.calibration.observation.statistics import Statistics

_STEPS = 255
_TRIED = 100
"""Shares of what was seen on each side of 0."""


def mse(statistics: Statistics, *, centred: bool) -> Range:
    """Return the range of least mean square error over eight bits."""
    seen = statistics.seen.range(centred=centred)
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    histogram = statistics.histogram(centred=centred)
    shares = np.arange(1, _TRIED + 1) / _TRIED
    above = _cut(histogram.middles, histogram.counts, high * shares)
    beneath = _cut(-histogram.middles, histogram.counts, -low * shares)
    steps = (high * shares - low * shares[:, np.newaxis]) / _STEPS
    errors = histogram.counts.sum() * steps**2 / 12 + above + beneath[:, np.newaxis]
    least = np.unravel_index(int(np.argmin(errors)), errors.shape)
    return Range(float(low * shares[least[0]]), float(high * shares[least[1]])).within(seen)


def _cut(values: Wide, counts: Counts, limits: Wide) -> Wide:
    """Return what cutting values off at each limit costs, as a sum of squares."""
    excess = np.maximum(values - limits[:, np.newaxis], 0.0)
    return np.asarray((excess**2 * counts).sum(axis=1))
