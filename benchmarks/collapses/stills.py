"""The grey stills of FER-2013, as the two networks read them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from linear.pictures import SIDE, tar_pictures
from numpy.typing import NDArray
from torch import Tensor

LABELS = ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""The folders of the archives in their order; FER-2013 writes some of them in another way."""
SHIFT = 4
"""Pixels by which a still is moved at most while a network learns."""


@dataclass(frozen=True, slots=True)
class Stills:
    """Pictures `[N, 48, 48]` and the class of each."""

    pictures: NDArray[np.uint8]
    classes: NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def read(cls, pack: Path, split: str) -> "Stills":
        """Return those of the archive of a split, in an order that is not that of classes."""
        pictures, names, folders = tar_pictures(pack / f"fer2013_{split}.tar")
        order = np.random.default_rng(0).permutation(len(names))
        known = sorted(set(folders))
        classes = np.array([known.index(folder) for folder in folders])
        return cls(pictures[order], classes[order], tuple(names[place] for place in order))

    def where(self, wanted: NDArray[np.bool_]) -> "Stills":
        """Return those that are wanted."""
        names = tuple(name for name, take in zip(self.names, wanted, strict=True) if take)
        return Stills(self.pictures[wanted], self.classes[wanted], names)

    def first(self, count: int | None) -> "Stills":
        """Return so many, or all of them."""
        return Stills(self.pictures[:count], self.classes[:count], self.names[:count])

    def inputs(self, places: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Return some of them as `[B, 1, 48, 48]`, each about 0 with a standard deviation of 1."""
        grey = self.pictures[places].astype(np.float32)[:, None]
        away = grey - grey.mean((2, 3), keepdims=True)
        scaled: NDArray[np.float32] = away / (away.std((2, 3), keepdims=True) + 1)
        return scaled


def varied(batch: Tensor, rng: torch.Generator) -> Tensor:
    """Return stills `[B, 1, 48, 48]`, each moved a little and half of them mirrored."""
    count = len(batch)
    padded = torch.nn.functional.pad(batch, (SHIFT,) * 4, mode="replicate")[:, 0]
    across, down = torch.randint(0, 2 * SHIFT + 1, (2, count, 1), generator=rng) + torch.arange(SIDE)
    mirrored = torch.rand((count, 1), generator=rng) < 0.5
    across = torch.where(mirrored, across.flip(1), across)
    moved: Tensor = padded[torch.arange(count)[:, None, None], down[:, :, None], across[:, None, :]]
    return moved[:, None]
