"""INT8 against float, turn by turn on real inputs, in the runtime that will execute them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from mmer.calibration.observation.ranges import Wide
from mmer.edge.backends.session import Session
from mmer.edge.tensors import Tensors

Clock = Callable[[], float]

_ROUNDS = 40
_LEAST = 5
_PATIENCE_S = 10.0
"""After this, `_LEAST` rounds are enough."""
_TO_SIGMA = 1.4826  # of a median absolute deviation, for a normal distribution
_OF_MEDIAN = 1.2533  # standard error of a median over that of a mean


@dataclass(frozen=True, slots=True)
class Race:
    """How the two did."""

    speed: float
    """Median time of the float graph over that of its rival: above 1 the rival is faster."""
    noise: float
    """What the same float graph against itself makes of that figure, as a distance from 1."""
    rounds: int

    def fault(self) -> str | None:
        """Return why the rival is not worth having, `None` when it is faster beyond noise."""
        if self.speed > 1 + self.noise:
            return None
        return f"not faster than float: {self.speed:.2f} x, and {1 + self.noise:.2f} x could be noise"


def race(reference: Session, rival: Session, inputs: Sequence[Tensors], clock: Clock = time.perf_counter) -> Race:
    """Run both on the same inputs, and the float graph a second time to know the noise; the order changes each round.

    Ratios of neighbouring runs are compared, so that a machine that slows down for a while slows both.
    """
    runners = (reference, rival, reference)
    times: list[list[float]] = []
    start = clock()
    for number, given in enumerate(islice(cycle(inputs), len(inputs) + _ROUNDS)):
        order = [(number + turn) % 3 for turn in range(3)]
        measured = {turn: _seconds(runners[turn], given, clock) for turn in order}
        if number >= min(2, len(inputs)):  # the first runs find cold caches
            times.append([measured[turn] for turn in range(3)])
        if len(times) >= _ROUNDS or (len(times) >= _LEAST and clock() - start > _PATIENCE_S):
            break
    first, other, again = np.array(times).T
    return Race(float(np.median(first / other)), _noise(np.log(first / again)), len(times))


def _seconds(session: Session, given: Tensors, clock: Clock) -> float:
    start = clock()
    session.run(given)
    return max(clock() - start, 1e-9)


def _noise(ratios: Wide) -> float:
    """Return the offset of the median and three of its standard errors."""
    centre = float(np.median(ratios))
    spread = _TO_SIGMA * float(np.median(np.abs(ratios - centre)))
    return math.expm1(abs(centre) + 3 * _OF_MEDIAN * spread / math.sqrt(len(ratios)))
