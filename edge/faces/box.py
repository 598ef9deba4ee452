"""Boxes as `[N, 4]` arrays of left, top, right, bottom edges, in pixels of the frame."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""`[N, 4]`; the right and bottom edges lie outside, so that a width is right - left."""

Overlap = Callable[[Boxes, Boxes], NDArray[np.float32]]
"""From `[N, 4]` and `[M, 4]` to `[N, M]` in 0..1."""


def area(boxes: Boxes) -> NDArray[np.float32]:
    """Return the areas `[N]`."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Return the shared area over the area of both together."""
    shared = _intersection(a, b)
    return _ratio(shared, area(a)[:, None] + area(b)[None, :] - shared)


def containment(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Return the shared area over the smaller area: 1 for a box within the other."""
    return _ratio(_intersection(a, b), np.minimum(area(a)[:, None], area(b)[None, :]))


def nms(boxes: Boxes, scores: NDArray[np.float32], limit: float, overlap: Overlap = iou) -> NDArray[np.intp]:
    """Return the indices, best score first, of boxes that no better kept box overlaps by more than `limit`."""
    order = np.argsort(-scores, kind="stable")
    clashes = overlap(boxes[order], boxes[order]) > limit
    alive = np.ones(len(order), bool)
    kept = []
    for rank, index in enumerate(order):
        if alive[rank]:
            kept.append(index)
            alive &= ~clashes[rank]
    return np.array(kept, np.intp)


def pairs(a: Boxes, b: Boxes, limit: float) -> list[tuple[int, int]]:
    """Return which box of `a` is which of `b`, each at most once, best overlap first and none below `limit`."""
    overlap = iou(a, b)
    found = []
    for index in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = divmod(int(index), overlap.shape[1])
        if overlap[row, column] >= limit:
            found.append((row, column))
            overlap[row, :] = overlap[:, column] = 0
    return found


def regress(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Return boxes with each edge moved by `offsets` `[N, 4]`, in units of the box's width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    moved: Boxes = boxes + offsets * np.concatenate([sides, sides], axis=1)
    return moved


def grow(boxes: Boxes, factor: float) -> Boxes:
    """Return boxes of `factor` times the sides around the same centres."""
    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * np.float32(factor / 2)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def square(boxes: Boxes) -> Boxes:
    """Return the squares of the longer side around the same centres."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def _intersection(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    left, top = (np.maximum(a[:, None, side], b[None, :, side]) for side in (0, 1))
    right, bottom = (np.minimum(a[:, None, side], b[None, :, side]) for side in (2, 3))
    shared: NDArray[np.float32] = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    return shared


def _ratio(part: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
