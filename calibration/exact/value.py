"""A tensor as the standard defines it, with the distance at which a correct runtime may still be from it."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from mmer.calibration.graph.network import Array
from mmer.calibration.observation.ranges import Wide

Kind: TypeAlias = "np.dtype[Any]"

WHOLE = frozenset({"int8", "uint8", "int16", "uint16", "int32"})
"""Element types that stand for real numbers in a quantised graph; others that are whole count or index."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Whole numbers behind a dequantised tensor, so that products of two of them are summed exactly."""

    levels: Wide
    """Counted from the zero point."""
    scale: Wide
    """With as many axes as the levels; all of length 1, or one of them of the channels' length."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """Real numbers, each with the radius in which the result of any order of summation and any fusion lies."""

    centre: Array
    """float64 for what stands for real numbers, else as it is."""
    radius: Wide
    kind: Kind
    """The element type that the standard gives it."""
    grid: Grid | None = None

    @classmethod
    def of(cls, array: Array) -> "Value":
        """Return a tensor that is known exactly."""
        return cls(widened(array), np.zeros(array.shape), array.dtype)

    @property
    def real(self) -> bool:
        """Whether it stands for real numbers."""
        return self.kind.kind == "f" or str(self.kind) in WHOLE

    @property
    def peak(self) -> Wide:
        """The largest magnitudes that it may have."""
        return np.asarray(np.abs(self.centre) + self.radius, np.float64)

    def widened(self, by: Wide | float) -> "Value":
        """Return the same further uncertain."""
        return replace(self, radius=self.radius + by, grid=None)


def widened(array: Array) -> Array:
    """Return an array as it is reckoned with."""
    return array.astype(np.float64) if array.dtype.kind == "f" or str(array.dtype) in WHOLE else array


def unit(*kinds: Kind) -> float:
    """Return the largest relative error of rounding to the coarsest float among some element types."""
    return max((float(np.finfo(kind).eps) / 2 for kind in kinds if kind.kind == "f"), default=0.0)


def rounded(centre: Wide, radius: Wide, kind: Kind, roundings: float = 1.0) -> Value:
    """Return what float arithmetic of that kind makes of a real result after so many roundings.

    The normal range's smallest number stands beside the relative error: runtimes may flush what is smaller to zero.
    """
    if kind.kind != "f":
        return Value(centre, np.asarray(radius, np.float64), kind)
    lost = roundings * unit(kind) * (np.abs(centre) + radius) + float(np.finfo(kind).tiny)
    return Value(centre, np.asarray(radius + lost, np.float64), kind)
