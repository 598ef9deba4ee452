"""How far a figure would wander if other clips, or other speakers, had been recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import SettingError

Picked = NDArray[np.intp]
Statistic = Callable[[Picked], float]
"""From the indices of the clips that count, some of them several times, to a figure."""
Groups = Sequence[Picked]
"""The clips of each speaker."""


FEW = 5
"""Speakers with fewer clips are drawn from together: each by itself would give the same clips again and again, and an
interval far too narrow."""


def _within(groups: Groups, rng: np.random.Generator) -> Picked:
    return np.concatenate([group[rng.integers(len(group), size=len(group))] for group in groups])


def _across(groups: Groups, rng: np.random.Generator) -> Picked:
    return np.concatenate([groups[place] for place in rng.integers(len(groups), size=len(groups))])


WITHIN, ACROSS = "within", "across"
DRAWS: Mapping[str, Callable[[Groups, np.random.Generator], Picked]] = {WITHIN: _within, ACROSS: _across}
"""What is drawn again, with replacement.

Within: clips of each speaker, and the speakers stay (those with fewer than `FEW` clips count as one); the interval
speaks of these people. Across (a cluster
bootstrap): speakers, each with all clips; the interval speaks of other people too, and is rough for fewer than about
20 of them.
"""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How often something is drawn again, what, and from which seed."""

    repeats: int = 2000
    level: float = 0.95
    seed: int = 0
    draw: str = WITHIN
    """One of `DRAWS`."""

    def __post_init__(self) -> None:
        if self.repeats < 1 or not 0 < self.level < 1:
            raise SettingError(f"a bootstrap of {self.repeats} repeats at level {self.level:g} gives no interval")
        if self.draw not in DRAWS:
            raise SettingError(f"nothing is drawn {self.draw!r}; a bootstrap draws {' or '.join(DRAWS)} speakers")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the range that holds it with the stated level."""

    value: float
    low: float
    high: float
    level: float


def interval(statistic: Statistic, speakers: Sequence[str], bootstrap: Bootstrap = Bootstrap()) -> Interval:
    """Return a statistic of all clips with its percentile interval.

    Draws for which the statistic is NaN do not count. Across a single speaker there is nothing to draw, and the
    interval is NaN.
    """
    rng = np.random.default_rng(bootstrap.seed)
    names = np.asarray(speakers)
    groups: Groups = [np.flatnonzero(names == name) for name in sorted(set(speakers))]
    again = DRAWS[bootstrap.draw]
    if bootstrap.draw == WITHIN:
        groups = _pooled(groups)
    drawn = np.array([statistic(again(groups, rng)) for _ in range(bootstrap.repeats)])
    low, high = _range(drawn[~np.isnan(drawn)], bootstrap, lone=bootstrap.draw == ACROSS and len(groups) == 1)
    return Interval(statistic(np.arange(len(names))), low, high, bootstrap.level)


def _pooled(groups: Groups) -> Groups:
    """Return the groups with all small ones as one."""
    few = [group for group in groups if len(group) < FEW]
    return [*(group for group in groups if len(group) >= FEW), *([np.concatenate(few)] if few else [])]


def _range(drawn: NDArray[np.float64], bootstrap: Bootstrap, *, lone: bool) -> tuple[float, float]:
    if lone or not len(drawn):
        return float("nan"), float("nan")
    tail = (1 - bootstrap.level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
