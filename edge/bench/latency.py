"""Times as they are spread, in milliseconds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.pipeline.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of times in milliseconds."""

    p50: float
    p90: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, times_ms: Sequence[float] | NDArray[np.float64]) -> "Spread":
        """Read them off one or more times."""
        return cls(*(round(float(value), 3) for value in np.percentile(times_ms, [50, 90, 95, 99, 100])))

    def to_json(self) -> dict[str, float]:
        """Return them by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StageTimes:
    """What one stage took over a whole measurement."""

    calls: int
    total_ms: float
    each_ms: Spread
    """Of a call; of the latest 4096 where there were more."""
    per_media_s_ms: float
    """For each second of the recordings."""

    @classmethod
    def of(cls, watch: Stopwatch, media_s: float) -> "StageTimes | None":
        """Read a watch; `None` for a stage that never ran."""
        if not watch.latest_ms:
            return None
        counted = watch.to_json()
        total_ms = counted["total_ms"]
        return cls(int(counted["calls"]), total_ms, Spread.of(watch.latest_ms), round(total_ms / media_s, 3))

    def to_json(self) -> dict[str, float]:
        """Return everything, flat."""
        facts = {"calls": self.calls, "total_ms": self.total_ms, "ms_per_media_s": self.per_media_s_ms}
        return facts | self.each_ms.to_json()


@dataclass(frozen=True, slots=True)
class Noise:
    """By how much the reference seems to differ from itself: a ratio inside this range means nothing."""

    windows: int
    p5: float
    p50: float
    p95: float

    @classmethod
    def of(cls, first_ms: NDArray[np.float64], again_ms: NDArray[np.float64]) -> "Noise":
        """Compare two runs of one contender, window by window."""
        return cls(len(first_ms), *(round(float(v), 3) for v in np.percentile(again_ms / first_ms, [5, 50, 95])))

    def to_json(self) -> dict[str, object]:
        """Return the ratio's percentiles."""
        return {"windows": self.windows, "aa_ratio": {"p5": self.p5, "p50": self.p50, "p95": self.p95}}
