"""What media yields: frames, sound and captions, each with its time on the clip's own clock.

All three kinds share it. It starts at the container's own zero, so that a stream that begins late is late; only where
a format's clock runs freely (mpegts, mpeg, flv, asf, mp3) is the first moment in the file taken as zero.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and the moment it appears."""

    time_s: float
    pixels: NDArray[np.uint8]
    """`[H, W, 3]` RGB, upright, square pixels."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of mono sound and the moment of its first sample."""

    time_s: float
    rate_hz: int
    samples: NDArray[np.float32]
    """`[N]` in -1..1."""

    @property
    def end_s(self) -> float:
        """The moment after the last sample."""
        return self.time_s + len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True)
class Caption:
    """Words and when they are said; a plain text file gives one caption over all time."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Damage:
    """Parts of a stream that could not be decoded and were passed over."""

    stream: str
    packets: int
    reason: str


Event: TypeAlias = Frame | Sound | Damage
"""What comes out of one pass through a file."""
