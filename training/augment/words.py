"""The same sentence with words lost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.training.augment.limits import limited

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WordChanges:
    """How far the words of a clip may stray."""

    lost: float = 0.1
    """How probable it is that a token becomes the unknown one."""

    def __post_init__(self) -> None:
        limited("words", {"lost": self.lost}, {"lost": 1.0})


SAME_WORDS = WordChanges(0.0)


def varied(ids: Ids, unknown: int, limits: WordChanges, rng: np.random.Generator) -> Ids:
    """Return the ids `[L]` with some made unknown; the first and last, which frame the sentence, stay."""
    lost = rng.random(len(ids)) < limits.lost
    lost[[0, -1]] = False
    return np.where(lost, unknown, ids)
