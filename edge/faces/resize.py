"""Pictures made smaller or larger; the only file here that imports OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mmer.edge.faces.box import Boxes


def resize(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return `[height, width, 3]`, each value the mean of the area that it covers."""
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def level(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return one level of a pyramid: interpolated, which is faster, where that skips no pixel."""
    if 2 * width < pixels.shape[1]:
        return resize(pixels, width, height)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def patches(pixels: NDArray[np.uint8], boxes: Boxes, size: int) -> NDArray[np.uint8]:
    """Return what lies in the boxes as `[N, size, size, 3]`; black where a box reaches outside the frame."""
    found = np.empty((len(boxes), size, size, 3), np.uint8)
    for target, (left, top, right, bottom) in zip(found, np.rint(boxes).astype(int), strict=True):
        target[:] = resize(_cut(pixels, left, top, max(right, left + 1), max(bottom, top + 1)), size, size)
    return found


def _cut(pixels: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    inside = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return inside
    whole = np.zeros((bottom - top, right - left, 3), np.uint8)
    y, x = max(-top, 0), max(-left, 0)
    whole[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return whole
