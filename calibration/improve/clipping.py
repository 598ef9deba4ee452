"""Where the levels of a weight end: cutting off its largest numbers lets all others be rounded more finely."""

import numpy as np

from mmer.calibration.graph.network import Array
from mmer.calibration.improve.loss import by_rows
from mmer.calibration.observation.ranges import Wide

_SHARES = tuple(np.linspace(1.0, 0.5, 26))
"""Of the largest magnitude."""


def peaks(weight: Array, axis: int, bits: int, moments: Wide) -> Wide:
    """Return for each output channel `[O]` the magnitude at which its levels end.

    It is the one with the least squared error of what the layer makes of inputs with these mean squares `[I]`, as if
    they were not correlated.
    """
    rows = by_rows(weight, axis).astype(np.float64)
    most = 2 ** (bits - 1) - 1
    largest = np.abs(rows).max(axis=1)
    errors = np.stack([_error(rows, share * largest / most, most, moments) for share in _SHARES])
    return np.asarray(largest * np.take(_SHARES, errors.argmin(axis=0)))


def _error(rows: Wide, scale: Wide, most: int, moments: Wide) -> Wide:
    steps = np.where(scale > 0, scale, 1.0)[:, np.newaxis]
    rounded = np.clip(np.rint(rows / steps), -most, most) * steps
    return np.asarray(((rows - rounded) ** 2 * moments).sum(axis=1))
