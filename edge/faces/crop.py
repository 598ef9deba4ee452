"""From a box to the square picture of a face that an encoder reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.faces.resize import resize
from mmer.edge.media.stream import Frame


@dataclass(frozen=True, slots=True)
class Crop:
    """A face cut out of the frame at a moment."""

    time_s: float
    pixels: NDArray[np.uint8]
    """`[S, S, 3]` RGB."""


@dataclass(frozen=True, slots=True)
class CropRule:
    """The published systems' rule, that of facenet-pytorch's `extract_face`: 48 and 2, or 224 and 33."""

    size: int = 48
    margin: int = 2
    """Pixels of the finished picture, both sides together, that lie around the box."""

    def cut(self, frame: Frame, box: NDArray[np.float32]) -> Crop:
        """Return the box `[4]`, stretched to a square; the margin ends at the frame."""
        left, top, right, bottom = self.region(box, frame.pixels.shape[1], frame.pixels.shape[0])
        return Crop(frame.time_s, resize(frame.pixels[top:bottom, left:right], self.size, self.size))

    def region(self, box: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom in a frame, edges cut off to whole pixels, at least one pixel wide."""
        x1, y1, x2, y2 = map(float, box)
        around_x, around_y = (self.margin * side / (self.size - self.margin) / 2 for side in (x2 - x1, y2 - y1))
        left, top = int(max(x1 - around_x, 0)), int(max(y1 - around_y, 0))
        right, bottom = int(min(x2 + around_x, width)), int(min(y2 + around_y, height))
        left, top = min(left, width - 1), min(top, height - 1)
        return left, top, max(right, left + 1), max(bottom, top + 1)
