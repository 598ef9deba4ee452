"""Curriculum: at first the easier samples alone, each epoch more of them, and in the end all (Bengio and others, 2009).

Easy is meant within a class, so that no class waits for another: each epoch shows the easiest share of every class. It
takes as many steps as any other, easy samples coming again, so that schedules and comparisons are not touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among, within
from mmer.training.samples import Sample

BY = ("loss", "index")
_KEPT = 0.5
"""Share of the loss so far in the running loss; the rest is the loss of the last time."""


@dataclass(frozen=True, slots=True)
class CurriculumSettings:
    """How the share of samples grows."""

    epochs: int = 0
    """After so many epochs all samples are shown; 0 shows all from the beginning."""
    start: float = 0.3
    """Share of the samples that the first of these epochs shows."""
    by: str = "loss"
    """One of `BY`: the running loss of a sample, for which one more epoch goes first and shows all, or its index."""

    def __post_init__(self) -> None:
        within("curriculum.epochs", self.epochs, 0, 10_000)
        within("curriculum.start", self.start, 0.01, 1.0)
        among("curriculum.by", self.by, BY)

    def share(self, number: int) -> float:
        """Return the share of the samples that an epoch shows, counted from 1."""
        done = number - 1 - (self.by == "loss")
        if not 0 <= done < self.epochs:
            return 1.0
        return self.start + (1 - self.start) * done / self.epochs


class Curriculum:
    """Knows how difficult each training sample is, and which an epoch shows."""

    def __init__(self, settings: CurriculumSettings, samples: Sequence[Sample]) -> None:
        self._settings = settings
        self._labels = np.array([sample.label for sample in samples])
        self.difficulty = np.full(len(samples), np.nan)
        """By sample; NaN where nothing is known yet."""
        if settings.epochs and settings.by == "index":
            self.difficulty = _told(samples)

    @property
    def watches(self) -> bool:
        """Whether it wants to hear the losses of samples."""
        return self._settings.epochs > 0 and self._settings.by == "loss"

    def pool(self, number: int) -> NDArray[np.int64]:
        """Return the places of as many samples as there are, those that an epoch shows, easiest first."""
        count, share = len(self._labels), self._settings.share(number)
        if share >= 1:
            return np.arange(count)
        order = np.argsort(standing(self.difficulty, self._labels), kind="stable")
        return np.resize(order[: max(1, round(share * count))], count)

    def hear(self, places: Sequence[int], losses: NDArray[np.float64]) -> None:
        """Take in the losses of samples that were shown."""
        before = self.difficulty[places]
        self.difficulty[places] = np.where(np.isnan(before), losses, _KEPT * before + (1 - _KEPT) * losses)


def standing(difficulty: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of its class that is easier than each sample, half of itself counted; unknown is hardest."""
    found = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.argsort(difficulty[members], kind="stable")  # NaN comes last
        found[members[order]] = (np.arange(len(members)) + 0.5) / len(members)
    return found


def _told(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Return what the index tells of every sample."""
    found = np.array([np.nan if sample.difficulty is None else sample.difficulty for sample in samples])
    if missing := int(np.isnan(found).sum()):
        raise SettingError(
            f"{missing} of {len(samples)} training clips have no difficulty in their index: "
            "fill its column difficulty, or --set curriculum.by=loss"
        )
    return found
