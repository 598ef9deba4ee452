"""The integers that stand for activations and weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.graph.network import Array
from mmer.calibration.observation.ranges import Range, Wide

_STEPS = 255
_LOWEST = -128
_HALF = np.finfo(np.float16)


@dataclass(frozen=True, slots=True)
class Grid:
    """Integers of eight bits that activations may have."""

    signed: bool
    symmetric: bool = False
    """Whether 0 stands for 0; else wherever most levels are of use."""
    half: bool = False
    """Whether scales are numbers of half precision, as far as its range allows."""


UNSIGNED = Grid(signed=False)
SIGNED = Grid(signed=True)
HALF_SYMMETRIC = Grid(signed=True, symmetric=True, half=True)


@dataclass(frozen=True, slots=True)
class Affine:
    """Levels of eight bits: `value = (level - zero) * scale`."""

    scale: np.float32
    zero: np.uint8 | np.int8

    @classmethod
    def of(cls, seen: Range, grid: Grid = UNSIGNED) -> "Affine":
        """Return the levels that cover a range and the number 0, which stands exactly on one of them."""
        low, high = min(seen.low, 0.0), max(seen.high, 0.0)
        if grid.symmetric:
            low, high = -max(-low, high), max(-low, high)
        steps = _STEPS - 1 if grid.symmetric else _STEPS
        scale = np.float32((high - low) / steps) or np.float32(1)
        if grid.half:
            scale = halved_scale(np.array(scale))[()]
        if grid.symmetric:
            return cls(scale, np.int8(0))
        level = np.clip(round(-low / float(scale)), 0, _STEPS)
        return cls(scale, np.int8(level + _LOWEST) if grid.signed else np.uint8(level))

    @property
    def range(self) -> Range:
        """What the lowest and the highest level stand for."""
        info = np.iinfo(self.zero.dtype)
        low, high = (float(self.scale) * (level - int(self.zero)) for level in (info.min, info.max))
        return Range(low, high)


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """A weight in signed integers, each output channel with a scale of its own."""

    values: NDArray[np.int8]
    scale: NDArray[np.float32]
    axis: int

    @classmethod
    def of(cls, weight: Array, axis: int, bits: int, peaks: Wide | None = None) -> "Channels":
        """Round a weight to integers of so many bits, symmetric about 0; `peaks` `[O]` are where they end, if given."""
        most = 2 ** (bits - 1) - 1
        others = tuple(a for a in range(weight.ndim) if a != axis)
        peak = np.abs(weight).max(axis=others, keepdims=True) if peaks is None else np.expand_dims(peaks, others)
        scale = np.where(peak > 0, peak / most, 1.0).astype(np.float32)
        values = np.clip(np.rint(weight / scale), -most, most).astype(np.int8)
        return cls(values, scale.reshape(-1), axis)

    def widened(self, least: Wide) -> "Channels":
        """Return the weight on scales of at least so much, each channel's or one for all."""
        if (self.scale >= least).all():
            return self
        scale = np.maximum(self.scale, least).astype(np.float32)
        values = np.rint(Channels(self.values, self.scale / scale, self.axis).restored())
        return Channels(values.astype(np.int8), scale, self.axis)

    def halved(self) -> "Channels":
        """Return the same integers with scales of half precision: each channel changes by 0.05 % at most."""
        return Channels(self.values, halved_scale(self.scale), self.axis)

    def restored(self) -> Wide:
        """Return the weight that the integers stand for."""
        shape = [-1 if a == self.axis else 1 for a in range(self.values.ndim)]
        return self.values * self.scale.astype(np.float64).reshape(shape)


def halved_scale(scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round scales to numbers of half precision; those outside its normal range stay as they are."""
    normal = (scale >= _HALF.tiny) & (scale <= _HALF.max)
    return np.where(normal, scale.clip(0, _HALF.max).astype(np.float16), scale).astype(np.float32)


def response(weight: Array, axis: int, means: Wide) -> Wide:
    """Return what a layer makes, at each output channel `[O]`, of an input that is constant in each channel `[I]`."""
    outputs = weight.shape[axis]
    rows = np.moveaxis(weight, axis, 0)
    rows = rows.reshape(outputs, rows.shape[1], -1).sum(axis=2, dtype=np.float64)
    groups = len(means) // rows.shape[1]
    return np.asarray((rows * means.reshape(groups, -1).repeat(outputs // groups, axis=0)).sum(axis=1))
