"""How small a share may be in truth, given how often something happened."""

import math
from dataclasses import dataclass

import numpy as np

_HALVINGS = 60
"""Until nothing is left between two neighbouring numbers."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A count and the exact lower bound of the share that it stands for."""

    count: int
    of: int
    level: float = 0.95
    """That of one side: so often at least, such a bound lies below the true share, if the cases are independent."""

    @property
    def share(self) -> float:
        """The share that was seen, NaN for none of none."""
        return self.count / self.of if self.of else math.nan

    @property
    def low(self) -> float:
        """The lower bound of Clopper and Pearson (1934)."""
        return lower_bound(self.count, self.of, self.level)

    def to_json(self) -> dict[str, object]:
        """Return counts, share and bound."""
        share = self.share if self.of else None
        return {"count": self.count, "of": self.of, "share": share, "lower_bound": self.low, "level": self.level}


def lower_bound(count: int, of: int, level: float) -> float:
    """Return the share for which `count` or more of `of` cases would be met with probability `1 - level`."""
    low, high = 0.0, count / of if of else 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_least(count, of, middle) > 1 - level:
            high = middle
        else:
            low = middle
    return low


def _at_least(count: int, of: int, share: float) -> float:
    """Return the probability of `count` or more of `of` cases at a share: that of `of - count` failures or fewer."""
    if not 0 < share < 1:
        return float(share >= 1 or count == 0)
    failures = np.arange(of - count + 1, dtype=np.float64)
    ways = np.cumsum(np.log((of - failures[1:] + 1) / failures[1:]))
    logs = failures * math.log1p(-share) + (of - failures) * math.log(share)
    logs[1:] += ways
    return float(np.exp(logs).sum())
