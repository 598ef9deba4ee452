"""How a figure differs from fold to fold, or from seed to seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmer.edge.errors import SettingError


@dataclass(frozen=True, slots=True)
class Folds:
    """One figure over several trainings."""

    mean: float
    deviation: float
    """Of a sample, with n - 1 in the denominator; NaN for a single fold."""
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Folds":
        """Sum up the figures of folds; raise `SettingError` when there is none."""
        if not len(values):
            raise SettingError("there is no fold to sum up; run at least one")
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
        return cls(float(np.mean(values)), deviation, float(np.min(values)), float(np.max(values)), len(values))
