"""What half precision can hold: from 2**-24 to 65504, with all its digits from 2**-14."""

import numpy as np

from mmer.calibration.network import Array

_INFO = np.finfo(np.float16)

LIMIT = float(_INFO.max) / 2
"""Largest magnitude that may have been seen; twice that still fits, for what was not seen."""

LEAST = float(_INFO.tiny)
"""Smallest magnitude that the largest of a tensor may have; of less, digits are lost."""

_LOSS = 2.0**-10
"""Of a weight's length that rounding may cost; without underflow it costs half of that at most."""


def peak_fits(peak: float) -> bool:
    """Tell whether a tensor whose largest magnitude was seen to be this can be in half precision."""
    return peak == 0 or LEAST <= peak <= LIMIT


def weight_fits(weight: Array) -> bool:
    """Tell whether a weight neither overflows nor, for the most part, vanishes."""
    peak = float(np.abs(weight).max(initial=0))
    if not 0 < peak <= LIMIT:
        return peak == 0
    lost = weight - weight.astype(np.float16).astype(np.float32)
    return _length(lost / peak) <= _LOSS * _length(weight / peak)  # squares of tiny numbers would be 0


def scale_fits(scale: Array) -> bool:
    """Tell whether scales are numbers of half precision."""
    return bool(scale.max() <= _INFO.max and (scale.astype(np.float16) == scale).all())


def _length(array: Array) -> float:
    return float(np.linalg.norm(array.ravel()))
