"""What to take out of a clip."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Which frames, and how large."""

    rate_hz: float | None = 5.0
    """The first frame at or after each tick of this clock; `None` takes every frame."""
    long_side: int = 640
    """Frames are scaled down to this, never up."""


@dataclass(frozen=True, slots=True)
class SoundRequest:
    """At which rate the sound comes."""

    rate_hz: int = 8000


@dataclass(frozen=True, slots=True)
class Request:
    """Frames, sound or both, between two moments."""

    frames: FrameRequest | None = None
    sound: SoundRequest | None = None
    start_s: float = 0.0
    end_s: float = math.inf
    threads: int = 1
    """Of the video decoder; more shorten the wall time and cost 9 to 15 % more work."""
