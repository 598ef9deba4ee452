"""The clock by which frames are sampled: the first one at or after each tick is wanted."""

import math
from dataclasses import dataclass

TOLERANCE_S = 5e-4
"""Half a millisecond: containers that count in milliseconds round 1/30 s down to 0.033 s."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Moments at equal distances."""

    start_s: float
    rate_hz: float | None
    """`None` for a tick at every moment."""

    def after(self, time_s: float) -> float:
        """Return the first tick that a frame of this time does not serve."""
        if self.rate_hz is None:
            return self.start_s
        return self.start_s + (math.floor((time_s - self.start_s + TOLERANCE_S) * self.rate_hz) + 1) / self.rate_hz
