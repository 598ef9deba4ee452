"""Counts of values as they come, channel by channel: enough to tell afterwards how far they lay from their mean."""

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.observation.histogram import BINS, Exponents, Histogram, exponent, places
from mmer.calibration.observation.ranges import Range, Wide

CELLS = 1 << 18
"""Bins of all channels together: 1 MB."""
_FEWEST = 32
_TOGETHER = 1 << 19
"""Values that are counted at a time, in 10 MB."""

Rows = NDArray[np.float32]


class Spread:
    """Histograms of channels, each with bins of its own width, that widen with what they see."""

    def __init__(self, channels: int) -> None:
        self.bins = min(BINS, max(_FEWEST, CELLS // channels))
        self._low = np.full(channels, np.inf)
        self._high = np.full(channels, -np.inf)
        self._exponents = np.zeros(channels, np.int64)
        self._first = np.zeros(channels, np.int64)
        self._counts = np.zeros((channels, self.bins), np.int64 if channels == 1 else np.uint32)

    def count(self, rows: Rows, low: Wide, high: Wide) -> None:
        """Count rows `[R, C]`, each channel between its extremes `[C]`."""
        self._make_room(low, high)
        scale = np.ldexp(np.float32(1), -self._exponents.astype(np.int32)).astype(np.float32)
        offset = (np.arange(len(low)) * self.bins - self._first).astype(np.float32)
        step = max(1, _TOGETHER // len(low))
        for start in range(0, len(rows), step):
            found = rows[start : start + step] * scale
            np.floor(found, out=found)
            found += offset  # whole numbers below 2**24, so exact
            counted = np.bincount(found.ravel().astype(np.int64), minlength=self._counts.size)
            self._counts += counted.reshape(self._counts.shape).astype(self._counts.dtype)

    def histogram(self, shifts: Wide, covered: Range) -> Histogram:
        """Return all channels in one, each moved down by its shift, after which everything lies in a range."""
        low, high = np.array([covered.low]), np.array([covered.high])
        width = exponent(low, high, BINS // 2)
        first, last = int(places(low, width)[0]), int(places(high, width)[0])
        edges = np.ldexp(np.arange(first, last + 2, dtype=np.float64), int(width[0]))
        below = np.zeros(len(edges))
        for channel, shift in enumerate(shifts):
            below += self._below(channel, edges + shift)
        below[0], below[-1] = 0, self._counts.sum(dtype=np.int64)
        return Histogram(int(width[0]), first, np.diff(np.rint(below)).astype(np.int64))

    def _below(self, channel: int, values: Wide) -> Wide:
        """Return how many of a channel lie below each value, as if a bin's were spread evenly over it."""
        places = np.arange(self._first[channel], self._first[channel] + self.bins + 1, dtype=np.float64)
        edges = np.clip(np.ldexp(places, self._exponents[channel]), self._low[channel], self._high[channel])
        below = np.concatenate([[0], np.cumsum(self._counts[channel], dtype=np.int64)])
        return np.asarray(np.interp(values, edges, below))

    def _make_room(self, low: Wide, high: Wide) -> None:
        """Let bins hold a larger range; those of channels that need it are merged and moved."""
        new = np.isinf(self._low)
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)
        start, end = places(self._low, self._exponents), places(self._high, self._exponents)
        channels = np.flatnonzero(new | (start < self._first) | (end >= self._first + self.bins))
        if len(channels):
            self._move(channels, exponent(self._low[channels], self._high[channels], self.bins))

    def _move(self, channels: NDArray[np.intp], wider: Exponents) -> None:
        start, end = places(self._low[channels], wider), places(self._high[channels], wider)
        first = start - (self.bins - (end - start + 1)) // 2
        before = self._counts[channels]
        row, place = np.nonzero(before)
        halvings = np.minimum(wider - self._exponents[channels], 62)
        moved = (place + self._first[channels][row] >> halvings[row]) - first[row]
        after = np.zeros_like(before)
        np.add.at(after, (row, moved), before[row, place])
        self._counts[channels] = after
        self._exponents[channels], self._first[channels] = wider, first
