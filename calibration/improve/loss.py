"""How far a layer's output is from float when its input and its weight are put on levels."""

import numpy as np

from mmer.calibration.graph.network import Array
from mmer.calibration.observation.ranges import Range, Wide
from mmer.calibration.weights.levels import Affine, Channels


def by_rows(weight: Array, axis: int) -> Array:
    """Return a weight as `[O, I]`, in the order of a layer's rows."""
    moved = np.moveaxis(weight, axis, 0)
    return moved.reshape(len(moved), -1)


def by_columns(channels: Array, columns: int) -> Array:
    """Return one number for each column `[I]` from one for each channel `[C]`, whose columns stand together."""
    return np.repeat(channels, columns // len(channels))


def on_levels(values: Wide, seen: Range) -> Wide:
    """Return the values that eight bits over a range make of others."""
    affine = Affine.of(seen)
    levels = np.clip(np.rint(values / float(affine.scale)) + int(affine.zero), 0, 255)
    return np.asarray((levels - int(affine.zero)) * float(affine.scale))


def read_error(exact: Wide, shown: Wide, weight: Wide, levelled: Wide) -> float:
    """Return the squared error of a product as a share of its variance; rows and weights `[R, I]` and `[O, I]`.

    Both rows count from the mean of the exact ones, whose share of the product the bias holds exactly.
    """
    made = exact @ weight.T
    return float(((shown @ levelled.T - made) ** 2).sum() / max((made**2).sum(), np.finfo(np.float64).tiny))


def restored(weight: Array, axis: int, bits: int) -> Wide:
    """Return a weight rounded to the nearest levels, as `[O, I]`."""
    return np.asarray(by_rows(Channels.of(weight, axis, bits).restored(), axis))
