"""Nearly all that was seen; rare values are cut off."""

import numpy as np

from mmer.calibration.observation.ranges import Range
from mmer.calibration.observation.statistics import Statistics

INSIDE = 0.9999


def percentile(statistics: Statistics, *, centred: bool) -> Range:
    """Return the range that holds the share `INSIDE` of all values, as many being cut off on either side."""
    tail = (1 - INSIDE) / 2
    low, high = statistics.histogram(centred=centred).quantiles(np.array([tail, 1 - tail]))
    return Range(float(low), float(high)).within(statistics.seen.range(centred=centred))
