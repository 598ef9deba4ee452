"""What was seen of a tensor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.graph.network import Array

Wide = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Range:
    """The smallest and the largest value."""

    low: float
    high: float

    @property
    def peak(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high))

    def within(self, other: "Range") -> "Range":
        """Return the part that lies in another range."""
        return Range(min(max(self.low, other.low), other.high), max(min(self.high, other.high), other.low))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Extremes and sum of each channel `[C]`, over all samples so far."""

    low: Wide
    high: Wide
    total: Wide
    count: int
    """Values in each channel."""

    @classmethod
    def of(cls, values: Array, axis: int | None) -> "Seen":
        """Look at an array whose channels lie along an axis; without one, all of it is one channel."""
        others = None if axis is None else tuple(a for a in range(values.ndim) if a != axis % values.ndim)
        low, high = values.min(axis=others).astype(np.float64), values.max(axis=others).astype(np.float64)
        total = values.sum(axis=others, dtype=np.float64)
        channels = max(total.size, 1)
        return cls(low.reshape(-1), high.reshape(-1), total.reshape(-1), values.size // channels)

    def __or__(self, other: "Seen") -> "Seen":
        """Return what was seen in both."""
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Seen(low, high, self.total + other.total, self.count + other.count)

    @property
    def mean(self) -> Wide:
        """The mean of each channel."""
        return self.total / self.count

    def range(self, *, centred: bool) -> Range:
        """Return the range over all channels, of the values or of their distance from their channel's mean."""
        shift = self.mean if centred else 0.0
        return Range(float((self.low - shift).min()), float((self.high - shift).max()))
