"""What every system of the zoo is to the training loop."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

from torch import nn

from mmer.training.batch import Batch, Output


class EmotionModel(nn.Module, ABC):
    """A float model from padded inputs to logits."""

    heads: ClassVar[str]
    """How the names of those parameters begin that belong to the labels."""
    branches: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Parts that make a branch together, where its name alone does not cover them."""

    @abstractmethod
    def forward(self, batch: Batch) -> Output:
        """Return logits for any mixture of present and absent modalities."""

    @abstractmethod
    def adopt(self, modality: str, other: "EmotionModel") -> None:
        """Take over a modality's branch and votes from a model of the same kind, whose branch has the same sizes."""

    @abstractmethod
    def part(self) -> None:
        """Let every modality answer as it does alone, whatever else is there, until training joins them again."""

    def segments(self) -> Sequence[nn.Module]:
        """Return parts that hold much between forward and backward, and may be computed again instead."""
        return ()

    def epoch(self) -> AbstractContextManager[None]:
        """Enclose one training epoch: a model that fits statistics to it watches, and fits them at the end."""
        return nullcontext()
