"""From decoded pictures to upright RGB frames on a clock; pictures that nobody asked for are never converted."""

import math

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from mmer.edge.media.request import FrameRequest
from mmer.edge.media.stream import Frame

_TICK_TOLERANCE_S = 5e-4
"""Half a millisecond: containers that count in milliseconds round 1/30 s down to 0.033 s."""


class Pictures:
    """Takes pictures in the order of their times and keeps those that a request wants."""

    def __init__(self, request: FrameRequest, start_s: float, aspect: float) -> None:
        """`aspect` is the width of one pixel over its height."""
        self._request = request
        self._start_s = start_s
        self._aspect = aspect
        self._next_s = start_s
        self._last_s = -math.inf

    def frame(self, picture: VideoFrame, time_s: float) -> Frame | None:
        """Return the picture as a frame, or `None` when it is not wanted."""
        if time_s <= self._last_s or time_s < self._next_s - _TICK_TOLERANCE_S:
            return None
        self._last_s = time_s
        self._next_s = self._tick_after(time_s)
        return Frame(time_s, _upright(picture, self._request.long_side, self._aspect))

    def _tick_after(self, time_s: float) -> float:
        if (rate_hz := self._request.rate_hz) is None:
            return self._start_s
        return self._start_s + (math.floor((time_s - self._start_s + _TICK_TOLERANCE_S) * rate_hz) + 1) / rate_hz


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
