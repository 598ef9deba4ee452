"""Integrated gradients: how much of a probability each frame, stretch of sound and word accounts for.

Sundararajan et al. 2017: gradients are averaged on the straight way from a baseline to the input, so that what is
accounted for sums to the difference of the answers. It does so only up to the steps taken, and to what passes no
gradient, here the mixture in the confidence filter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmer.training.batch import Batch
from mmer.training.model import EmotionModel

STEPS = 64
"""Midpoints on the way."""


@dataclass(frozen=True, slots=True, eq=False)
class Accounts:
    """What each input accounts for; that of an absent modality is zeros."""

    frames: NDArray[np.float64]
    """`[T]`."""
    samples: NDArray[np.float64]
    """`[N]`."""
    words: NDArray[np.float64]
    """`[L]`; zeros too where a model does not tell its word vectors."""
    baseline: float
    """The probability where everything is 0: the mean face colour, silence, empty word vectors."""
    probability: float


def integrated(model: EmotionModel, batch: Batch, label: int, steps: int = STEPS) -> Accounts:
    """Account for the probability of a label, for a batch of one sample; the model is in evaluation mode."""
    ways = [(step + 0.5) / steps for step in range(steps)]
    parts = [_parts(model, batch, label, way) for way in ways]
    frames, samples, words = (torch.stack(column).mean(0).cpu().numpy() for column in zip(*parts, strict=True))
    return Accounts(frames, samples, words, _probability(model, batch, label, 0.0), _probability(model, batch, label))


def _parts(model: EmotionModel, batch: Batch, label: int, way: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return input times gradient at one place on the way, summed to frames, samples and words."""
    frames, samples = ((values * way).requires_grad_() for values in (batch.frames, batch.samples))
    with _words(model.word_vectors(), way) as vectors:
        logits = model(replace(batch, frames=frames, samples=samples)).logits
        leaves = [frames, samples, *vectors]
        found = torch.autograd.grad(logits.double().softmax(1)[0, label], leaves, allow_unused=True)
    whole = [batch.frames, batch.samples, *(vector.detach() / way for vector in vectors)]
    seen, heard, *told = (
        torch.zeros_like(values) if grad is None else values * grad for values, grad in zip(whole, found, strict=True)
    )
    words = told[0].double().sum(2)[0] if told else torch.zeros(batch.ids.shape[1], dtype=torch.float64)
    return seen.double().sum((2, 3, 4))[0], heard.double()[0], words


def _probability(model: EmotionModel, batch: Batch, label: int, way: float = 1.0) -> float:
    with torch.no_grad(), _words(model.word_vectors(), way):
        logits = model(replace(batch, frames=batch.frames * way, samples=batch.samples * way)).logits
    return float(logits.double().softmax(1)[0, label])


@contextmanager
def _words(module: nn.Module | None, way: float) -> Iterator[list[Tensor]]:
    """Scale the word vectors on their way into the model, and give those that were scaled."""
    seen: list[Tensor] = []
    if module is None:
        yield seen
        return

    def scale(_module: nn.Module, _args: object, vectors: Tensor) -> Tensor:
        seen.append((vectors.detach() * way).requires_grad_())
        return seen[-1]

    handle = module.register_forward_hook(scale)
    try:
        yield seen
    finally:
        handle.remove()
