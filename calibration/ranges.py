"""What was seen of a tensor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.network import Array

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
        rows = values.reshape(1, -1) if axis is None else np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
        low, high = rows.min(axis=1).astype(np.float64), rows.max(axis=1).astype(np.float64)
        return cls(low, high, rows.sum(axis=1, dtype=np.float64), rows.shape[1])

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
