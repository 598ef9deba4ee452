"""What samples reach in the mean: one with rare peaks counts no more than any other."""

from mmer.calibration.observation.ranges import Range
from mmer.calibration.observation.statistics import Statistics


def average(statistics: Statistics, *, centred: bool) -> Range:
    """Return the means of the samples' extremes, as ONNX Runtime's MinMax does with its moving average."""
    return statistics.averaged(statistics.averages.mean, centred=centred)


def moving(statistics: Statistics, *, centred: bool) -> Range:
    """Return moving averages of the samples' extremes, as ONNX Runtime does of data that it is given in parts."""
    return statistics.averaged(statistics.averages.moving, centred=centred)
