"""What a glance at a frame tells: that it is black, or that another scene has begun."""

import numpy as np
from numpy.typing import NDArray

from mmer.edge.faces.resize import resize

DARK = 24
"""No value of a black frame reaches this; clips often begin with a few."""

CUT = 30.0
"""Grey levels. On Java-SED, GRID and other clips two glances 0.2 s apart differ by up to 19 within a scene and by 64 to
80 across a cut; a fast pan of a hand-held camera (53) counts as a cut."""


def is_dark(pixels: NDArray[np.uint8]) -> bool:
    """Say whether a frame is too black to hold anything."""
    return int(pixels.max()) < DARK


def glance(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a coarse grey picture `[32, 32]` around its own mean, so that a change of exposure is not a cut."""
    grey: NDArray[np.float32] = resize(np.ascontiguousarray(pixels[::4, ::4]), 32, 32).mean(axis=2, dtype=np.float32)
    grey -= grey.mean()
    return grey


def is_cut(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Say whether two glances show different scenes."""
    return float(np.abs(before - after).mean()) > CUT
