"""What was seen of a tensor, and the levels that follow from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.network import Array

LEVELS = 255
"""Steps of an activation in eight bits."""


@dataclass(frozen=True, slots=True)
class Range:
    """The smallest and the largest value."""

    low: float
    high: float

    def __or__(self, other: "Range") -> "Range":
        """Return the range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    @property
    def peak(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high))

    @classmethod
    def of(cls, values: Array) -> "Range":
        """Return the range of an array that is not empty."""
        return cls(float(values.min()), float(values.max()))


@dataclass(frozen=True, slots=True)
class Affine:
    """Asymmetric levels of eight bits: `value = (level - zero) * scale`."""

    scale: np.float32
    zero: np.uint8

    @classmethod
    def of(cls, seen: Range) -> "Affine":
        """Return the levels that cover a range and the number 0, which stands exactly on one of them."""
        low, high = min(seen.low, 0.0), max(seen.high, 0.0)
        scale = np.float32((high - low) / LEVELS or 1.0)
        return cls(scale, np.uint8(np.clip(round(-low / float(scale)), 0, LEVELS)))


@dataclass(frozen=True, slots=True)
class Channels:
    """A weight in signed integers, each output channel with a scale of its own."""

    values: NDArray[np.int8]
    scale: NDArray[np.float32]
    axis: int

    @classmethod
    def of(cls, weight: Array, axis: int, bits: int) -> "Channels":
        """Round a weight to integers of so many bits, symmetric about 0."""
        most = 2 ** (bits - 1) - 1
        others = tuple(a for a in range(weight.ndim) if a != axis)
        peak = np.abs(weight).max(axis=others, keepdims=True)
        scale = np.where(peak > 0, peak / most, 1.0).astype(np.float32)
        values = np.clip(np.rint(weight / scale), -most, most).astype(np.int8)
        return cls(values, scale.reshape(-1), axis)
