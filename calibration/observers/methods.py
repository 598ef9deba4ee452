"""The ways of choosing a range, by the names that users know."""

from collections.abc import Mapping
from typing import Protocol

from mmer.calibration.observation.ranges import Range
from mmer.calibration.observation.statistics import Statistics
from mmer.calibration.observers.average import average, moving
from mmer.calibration.observers.entropy import entropy
from mmer.calibration.observers.minmax import minmax
from mmer.calibration.observers.mse import mse
from mmer.calibration.observers.percentile import percentile


class Method(Protocol):
    """Reads a range off what was kept of a tensor; no sample is looked at again."""

    def __call__(self, statistics: Statistics, *, centred: bool) -> Range:
        """Return the range to cover, of the values or of their distances from their channel's mean."""


METHODS: Mapping[str, Method] = {
    "minmax": minmax,
    "average": average,
    "moving": moving,
    "percentile": percentile,
    "entropy": entropy,
    "mse": mse,
}
