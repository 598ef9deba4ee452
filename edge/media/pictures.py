"""From decoded pictures to upright RGB frames on a clock; pictures that nobody asked for are never converted."""

import math

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from mmer.edge.media.stream import Frame
from mmer.edge.media.ticks import TOLERANCE_S, Ticks


class Pictures:
    """Takes pictures in the order of their times and keeps those that a request wants."""

    def __init__(self, ticks: Ticks, long_side: int, aspect: float) -> None:
        """`aspect` is the width of one pixel over its height."""
        self._ticks = ticks
        self._long_side = long_side
        self._aspect = aspect
        self._next_s = ticks.start_s
        self._last_s = -math.inf

    def frame(self, picture: VideoFrame, time_s: float) -> Frame | None:
        """Return the picture as a frame, or `None` when it is not wanted."""
        if time_s <= self._last_s or time_s < self._next_s - TOLERANCE_S:
            return None
        self._last_s = time_s
        self._next_s = self._ticks.after(time_s)
        return Frame(time_s, _upright(picture, self._long_side, self._aspect))


def _upright(picture: VideoFrame, long_side: int, aspect: float) -> np.ndarray:
    """Scale while converting to RGB, then turn."""
    width, height = picture.width * max(aspect, 1.0), picture.height / min(aspect, 1.0)
    scale = min(1.0, long_side / max(width, height))
    scaled = picture.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb24",
        interpolation=Interpolation.FAST_BILINEAR,
    )
    turns = round(picture.rotation / 90) % 4  # degrees counter-clockwise, as rot90 counts
    return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), turns))
