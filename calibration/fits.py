"""What half precision can hold: from 2**-24 to 65504, with all its digits from 2**-14."""

import numpy as np

from mmer.calibration.graph.network import Array

_INFO = np.finfo(np.float16)

LIMIT = float(_INFO.max) / 2
"""Largest magnitude that may have been seen; twice that still fits, for what was not seen."""

LEAST = float(_INFO.tiny)
"""Smallest magnitude that the largest of a tensor may have; of less, digits are lost."""

_TOGETHER = 1 << 20
"""Elements that are looked at together: an embedding is large enough as it is."""

_LOSS = 2.0**-10
"""Of a weight's length that rounding may cost; without underflow it costs half of that at most."""


def peak_fits(peak: float) -> bool:
    """Tell whether a tensor whose largest magnitude was seen to be this can be in half precision."""
    return peak == 0 or LEAST <= peak <= LIMIT


def weight_fits(weight: Array) -> bool:
    """Tell whether a weight neither overflows nor, for the most part, vanishes."""
    flat = weight.reshape(-1)
    parts = [flat[start : start + _TOGETHER] for start in range(0, len(flat), _TOGETHER)]
    peak = max((float(np.abs(part).max()) for part in parts), default=0.0)
    if not 0 < peak <= LIMIT:
        return peak == 0
    lost = sum(_square((part - part.astype(np.float16).astype(np.float32)) / peak) for part in parts)
    return lost <= _LOSS**2 * sum(_square(part / peak) for part in parts)


def scale_fits(scale: Array) -> bool:
    """Tell whether scales are numbers of half precision."""
    return bool(scale.max() <= _INFO.max and (scale.astype(np.float16) == scale).all())


def _square(array: Array) -> float:
    """Return the sum of squares; what is squared should be around 1, tiny numbers would vanish."""
    return float(np.vdot(array, array))
