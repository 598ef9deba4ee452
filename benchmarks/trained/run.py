"""What is asked of a branch's benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmer.training.samples import Sample


@dataclass(frozen=True, slots=True)
class Run:
    """One run over the sets of a branch."""

    pack: Path
    changes: tuple[str, ...] = ()
    """Of the training's settings, as `place=value`, after those of the protocol."""
    seed: int = 42
    chance: bool = False
    """Whether the labels of training and validation are dealt out anew; those that are judged stay true."""
    keep: Path | None = None
    """A folder where the checkpoints stay."""
    sets: Sequence[str] | None = None
    """By name; all without it."""

    def wants(self, name: str) -> bool:
        """Say whether a set is to be answered."""
        return self.sets is None or name in self.sets

    def path(self, name: str) -> Path:
        """Return where the checkpoint of a training stays; only with a folder to keep them in."""
        assert self.keep is not None
        return self.keep / f"{name}{'-shuffled' if self.chance else ''}-{self.seed}"

    def dealt(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return the samples to train on, their labels dealt out anew where that is asked."""
        if not self.chance:
            return list(samples)
        order = np.random.default_rng(self.seed).permutation(len(samples))
        return [replace(sample, label=samples[o].label) for sample, o in zip(samples, order, strict=True)]
