"""What is kept of a tensor over all samples, and how it is gathered: nothing of a sample stays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.graph.network import Array
from mmer.calibration.observation.histogram import Histogram
from mmer.calibration.observation.ranges import Range, Seen, Wide
from mmer.calibration.observation.spread import Spread
from mmer.edge.errors import DataError

CONSTANT = 0.01
"""The share of each sample in a moving average, as in ONNX Runtime."""


class NotFiniteError(DataError):
    """A graph made infinite values, or none at all, of a sample."""

    def __init__(self, tensor: str) -> None:
        super().__init__(f"tensor {tensor} is infinite or not a number for some sample; look for it and leave it out")


@dataclass(frozen=True, slots=True)
class Averages:
    """Extremes of samples in the mean, and in a moving average."""

    mean: Range
    moving: Range


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of one tensor."""

    seen: Seen
    averages: Averages
    plain: Histogram
    centred: Histogram | None
    """Of the distances from the mean of each channel; `None` where channels do not lie along the last axis."""

    def histogram(self, *, centred: bool) -> Histogram:
        """Return that of the values, or of their distances from their channel's mean."""
        return self.centred if centred and self.centred else self.plain

    def averaged(self, averages: Range, *, centred: bool) -> Range:
        """Return averages of extremes, brought down to distances as far as the extremes themselves are."""
        if not centred:
            return averages
        wide, narrow = self.seen.range(centred=False), self.seen.range(centred=True)
        return Range(_share(averages.low, wide.low) * narrow.low, _share(averages.high, wide.high) * narrow.high)


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole else 1.0


class Tally:
    """Gathers the statistics of a tensor, whose channels lie along an axis, sample by sample."""

    def __init__(self, name: str, axis: int | None) -> None:
        self._name, self._axis = name, axis
        self._seen: Seen | None = None
        self._spread: Spread | None = None
        self._sum, self._moving, self._samples = np.zeros(2), np.zeros(2), 0

    def add(self, array: Array) -> None:
        """Look at a sample; raise `NotFiniteError` when it holds what no range covers."""
        if not array.size:
            return
        seen = Seen.of(array, self._axis)
        if not (np.isfinite(seen.low).all() and np.isfinite(seen.high).all()):
            raise NotFiniteError(self._name)
        self._seen = self._seen | seen if self._seen else seen
        extremes = np.array([seen.low.min(), seen.high.max()])
        self._sum += extremes
        self._moving += (extremes - self._moving) * (CONSTANT if self._samples else 1)
        self._samples += 1
        self._count(array, seen)

    def _count(self, array: Array, seen: Seen) -> None:
        channels = array.shape[-1] if self._axis == -1 else 1
        if self._spread is None:
            self._spread = Spread(channels)
        whole = seen.range(centred=False)
        low, high = (seen.low, seen.high) if self._axis == -1 else (np.array([whole.low]), np.array([whole.high]))
        self._spread.count(array.reshape(-1, channels), low, high)

    def finished(self) -> Statistics | None:
        """Return what was gathered, `None` when there was nothing to look at."""
        if self._seen is None or self._spread is None:
            return None
        seen, averages = self._seen, Averages(_range(self._sum / self._samples), _range(self._moving))
        if self._axis != -1:
            return Statistics(seen, averages, self._spread.histogram(np.zeros(1), seen.range(centred=False)), None)
        plain = self._spread.histogram(np.zeros(len(seen.low)), seen.range(centred=False))
        return Statistics(seen, averages, plain, self._spread.histogram(seen.mean, seen.range(centred=True)))


def _range(extremes: Wide | NDArray[np.float64]) -> Range:
    return Range(float(extremes[0]), float(extremes[1]))
