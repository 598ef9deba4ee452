"""All that was seen."""

from mmer.calibration.observation.ranges import Range
from mmer.calibration.observation.statistics import Statistics


def minmax(statistics: Statistics, *, centred: bool) -> Range:
    """Return the smallest and the largest value of all samples."""
    return statistics.seen.range(centred=centred)
