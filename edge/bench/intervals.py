"""How far a figure would wander if other clips of the same speakers had been recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import SettingError

Picked = NDArray[np.intp]
Statistic = Callable[[Picked], float]
"""From the indices of the clips that count, some of them several times, to a figure."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How often clips are drawn again, and from which seed."""

    repeats: int = 2000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.repeats < 1 or not 0 < self.level < 1:
            raise SettingError(f"a bootstrap of {self.repeats} repeats at level {self.level:g} gives no interval")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the range that holds it with the stated level."""

    value: float
    low: float
    high: float
    level: float


def interval(statistic: Statistic, speakers: Sequence[str], bootstrap: Bootstrap = Bootstrap()) -> Interval:
    """Return a statistic of all clips with its percentile interval.

    Clips are drawn with replacement within each speaker. Speakers stay as they are: with eight of them the interval
    speaks of these people, and the values per speaker have to show how people differ.
    """
    rng = np.random.default_rng(bootstrap.seed)
    names = np.asarray(speakers)
    groups = [np.flatnonzero(names == name) for name in sorted(set(speakers))]
    drawn = [statistic(_again(groups, rng)) for _ in range(bootstrap.repeats)]
    tail = (1 - bootstrap.level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(statistic(np.arange(len(names))), float(low), float(high), bootstrap.level)


def _again(groups: Sequence[Picked], rng: np.random.Generator) -> Picked:
    return np.concatenate([group[rng.integers(len(group), size=len(group))] for group in groups])
