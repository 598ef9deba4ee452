"""What an epoch shows: samples drawn, varied and cut into batches, and batches into parts."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mmer.training.batch import Batch
from mmer.training.collate import Arrays, Reader, collate, dropped
from mmer.training.fitsettings import FitSettings
from mmer.training.mixup import mixed
from mmer.training.ranks import own
from mmer.training.sampler import Places, batches, drawn
from mmer.training.samples import Sample, lengths


@dataclass(frozen=True, slots=True)
class TrainData:
    """Samples of disjoint speakers and the way to read them."""

    train: Sequence[Sample]
    val: Sequence[Sample]
    reader: Reader
    classes: int

    @property
    def labels(self) -> Places:
        """Class indices of the training samples, `[N]`."""
        return np.array([sample.label for sample in self.train])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What passes through the model at a time."""

    batch: Batch
    truth: Tensor
    """Class indices `[B]`, or the share of each class in mixed samples `[B, K]`."""
    places: Tensor
    """Which of the training samples these are, `[B]`."""
    share: float
    """Of the samples of one step, those of other ranks counted in."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Gives the steps of an epoch; everything that is drawn is owed to the seed and the number of the epoch alone."""

    data: TrainData
    settings: FitSettings

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return steps_per_epoch(len(self.data.train), self.settings)

    def epoch(self, number: int, pool: Places) -> Iterator[list[Part]]:
        """Yield the parts of every step; `pool` is the places of as many samples as there are, those to be shown."""
        rng = np.random.default_rng((self.settings.seed, number))
        labels = self.data.labels
        shown = pool[drawn(labels[pool], self.settings.sampler, rng)]
        together = self.settings.sampler.sorted_batches
        for batch in batches(lengths(self.data.train)[shown], self.settings.batch_size, rng, together):
            places = shown[batch]
            rows, truth = self._varied(places.tolist(), rng), torch.from_numpy(labels[places])
            if self.settings.mixup:
                rows, shares = mixed(
                    rows, np.eye(self.data.classes, dtype=np.float32)[labels[places]], self.settings.mixup, rng
                )
                truth = torch.from_numpy(shares)
            yield self._parts(rows, truth, torch.from_numpy(places))

    def _parts(self, rows: Sequence[Arrays], truth: Tensor, places: Tensor) -> list[Part]:
        size = math.ceil(len(rows) / self.settings.accumulation)
        cuts = [slice(first, first + size) for first in range(0, len(rows), size)]
        width = self.data.reader.inputs.video.size
        parts = [_part(collate(rows[cut], width), truth[cut], places[cut], len(rows[cut]) / len(rows)) for cut in cuts]
        return [replace(part, batch=part.batch.pinned()) for part in parts] if self.settings.compute.pinned else parts

    def _varied(self, places: list[int], rng: np.random.Generator) -> list[Arrays]:
        settings, reader = self.settings, self.data.reader
        varied = [reader.vary(self.data.train[place], settings.augmentation, rng) for place in places]
        return [dropped(arrays, settings.dropout, rng) for arrays in varied]


def _part(batch: Batch, truth: Tensor, places: Tensor, share: float) -> Part:
    """Return this rank's rows, padded as long as those of all ranks: so nothing depends on who has which."""
    mine = own(len(truth))
    return Part(batch.rows(mine), truth[mine], places[mine], share)


def steps_per_epoch(samples: int, settings: FitSettings) -> int:
    """Return how many steps an epoch has."""
    return math.ceil(samples / settings.batch_size)
