"""How often values fell where, on a grid that all histograms share.

A bin is as wide as a power of two and starts at a multiple of it, so a range that grows merges neighbouring bins and
every count stays exact: in whatever order values come, the same histogram comes out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.observation.ranges import Wide

BINS = 8192
"""Of one channel at most; half of them lie within the range, unless float32 hardly tells its ends apart."""
_FINEST = 20
"""Binary digits below the largest magnitude at which bins end: further down float32 holds few more."""
_LEAST = -126
_FARTHEST = 2.0**62

Counts = NDArray[np.int64]
Exponents = NDArray[np.int64]


def exponent(low: Wide, high: Wide, bins: int) -> Exponents:
    """Return of ranges the exponent of the narrowest bins of which so many hold all; it never shrinks as they grow."""
    width = np.maximum(_magnitude((high - low) / bins) - 1, _magnitude(np.maximum(np.abs(low), np.abs(high))) - _FINEST)
    width = np.maximum(width, _LEAST)
    while (wide := places(high, width) - places(low, width) >= bins).any():
        width = width + wide
    return width


def places(values: Wide, exponents: Exponents) -> NDArray[np.int64]:
    """Return in which bin of the grid, counted from 0, each value lies."""
    exact = np.clip(np.ldexp(values, -exponents), -_FARTHEST, _FARTHEST)
    return np.asarray(np.floor(exact).astype(np.int64))


def _magnitude(values: Wide) -> Exponents:
    return np.where(values == 0, _LEAST, np.frexp(values)[1]).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of neighbouring bins."""

    exponent: int
    """Of the width of a bin, as a power of two."""
    first: int
    """How many widths from 0 the first bin starts."""
    counts: Counts

    @property
    def edges(self) -> Wide:
        """Where bins begin and end, one more than there are bins."""
        return np.ldexp(np.arange(self.first, self.first + len(self.counts) + 1, dtype=np.float64), self.exponent)

    @property
    def middles(self) -> Wide:
        """The middle of each bin."""
        edges = self.edges
        return np.asarray((edges[1:] + edges[:-1]) / 2)

    def quantiles(self, shares: Wide) -> Wide:
        """Return the values below which such shares lie."""
        whole = np.concatenate([[0], np.cumsum(self.counts)])
        return np.asarray(np.interp(shares * whole[-1], whole, self.edges))
