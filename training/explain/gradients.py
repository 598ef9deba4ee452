"""Integrated gradients: how much of a probability each frame, stretch of sound and word accounts for.

Sundararajan et al. 2017: gradients are averaged on the straight way from a baseline to the input, so that what is
accounted for sums to the difference of the answers. It does so only up to the steps taken, and to what passes no
gradient, here the mixture in the confidence filter.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmer.training.batch import Batch
from mmer.training.model import EmotionModel

STEPS = 64
"""Midpoints on the way."""
AT_ONCE = 16
"""Of them, in one batch."""


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


def integrated(
    model: EmotionModel,
    batch: Batch,
    label: int,
    steps: int = STEPS,
    progress: Callable[[int], None] = lambda _: None,
) -> Accounts:
    """Account for the probability of a label, for a batch of one sample; the model is in evaluation mode.

    `progress` hears how many steps are done.
    """
    ways = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    parts = []
    for first in range(0, steps, AT_ONCE):
        parts.append(_parts(model, batch, label, ways[first : first + AT_ONCE]))
        progress(min(steps, first + AT_ONCE))
    frames, samples, words = (torch.cat(column).mean(0).cpu().numpy() for column in zip(*parts, strict=True))
    with torch.no_grad(), _words(model.word_vectors(), ends := torch.tensor([0.0, 1.0])):
        baseline, probability = _probabilities(model, _along(batch, ends), label).tolist()
    return Accounts(frames, samples, words, baseline, probability)


def _parts(model: EmotionModel, batch: Batch, label: int, ways: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return input times gradient at `R` places on the way, as frames `[R, T]`, samples `[R, N]` and words `[R, L]`."""
    along = _along(batch, ways)
    with _words(model.word_vectors(), ways) as vectors:
        summed = _probabilities(model, along, label).sum()  # rows do not know of each other
        found = torch.autograd.grad(summed, [along.frames, along.samples, *vectors], allow_unused=True)
    whole = [batch.frames, batch.samples, *(vector.detach() / _like(ways, vector) for vector in vectors)]
    seen, heard, *told = (
        torch.zeros(len(ways), *values.shape[1:]) if grad is None else (values * grad).double()
        for values, grad in zip(whole, found, strict=True)
    )
    words = told[0].sum(2) if told else torch.zeros(len(ways), batch.ids.shape[1])
    return seen.double().sum((2, 3, 4)), heard.double(), words.double()


def _along(batch: Batch, ways: Tensor) -> Batch:
    """Return a row for each place on the way, the faces and the sound scaled to it."""
    rows = Batch(**{f.name: getattr(batch, f.name).repeat_interleave(len(ways), 0) for f in fields(batch)})
    frames, samples = (
        (values * _like(ways, values)).requires_grad_(torch.is_grad_enabled()) for values in (rows.frames, rows.samples)
    )
    return replace(rows, frames=frames, samples=samples)


def _probabilities(model: EmotionModel, batch: Batch, label: int) -> Tensor:
    logits: Tensor = model(batch).logits
    return logits.double().softmax(1)[:, label]


def _like(ways: Tensor, values: Tensor) -> Tensor:
    return ways.reshape(-1, *[1] * (values.ndim - 1))


@contextmanager
def _words(module: nn.Module | None, ways: Tensor) -> Iterator[list[Tensor]]:
    """Scale the word vectors of each row on their way into the model, and give those that were scaled."""
    seen: list[Tensor] = []
    if module is None:
        yield seen
        return

    def scale(_module: nn.Module, _args: object, vectors: Tensor) -> Tensor:
        seen.append((vectors.detach() * _like(ways, vectors)).requires_grad_(torch.is_grad_enabled()))
        return seen[-1]

    handle = module.register_forward_hook(scale)
    try:
        yield seen
    finally:
        handle.remove()
