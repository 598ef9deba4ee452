"""What a picture looks like in few numbers that survive another size, quality and codec."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE, _COARSE, _FINE = 32, 8, 16
_FLAT = 4.0
"""A picture whose grey values deviate by less, such as a black frame, looks like all others of its kind."""


def pictureprint(pixels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Return the low frequencies `[256]` of a picture `[H, W, 3]`, of length 1; `None` for a flat one."""
    grey = cv2.resize(pixels.mean(axis=2).astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if grey.std() < _FLAT:
        return None
    waves: NDArray[np.float32] = cv2.dct(grey)[:_FINE, :_FINE].copy()
    waves[0, 0] = 0.0
    waves /= np.linalg.norm(waves)
    return waves.ravel()


def bands(prints: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return four hashes `[N, 4]` of prints `[N, 256]`: alike pictures share at least one of them."""
    coarse = prints.reshape(-1, _FINE, _FINE)[:, :_COARSE, :_COARSE].reshape(len(prints), -1)
    packed = np.packbits(coarse > 0, axis=1)
    return packed.view(np.uint16)
