"""What makes trained weights hard to quantise, put into random ones on purpose.

Weights have heavy tails; batch norms differ much from channel to channel, and are fused into their convolutions; in
transformers a few channels of the norms are 30 times as large as the others, which what multiplies them makes good.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np
import torch
from backbone_models.lively import Liveliness, enliven
from numpy.typing import NDArray
from torch import Tensor, nn

_OUTLIERS, _LOUDER = 3, 30.0
_FREEDOM = 5
"""Of Student's t, from which weights are drawn."""
_SPREAD = 1.0
"""Deviation of the logarithm of batch norms' weights, as of RepVGG after its training."""

Read = tuple[nn.Module, Sequence[nn.Linear]]
"""A norm, and what multiplies its output."""


def uneven(module: nn.Module, lively: Liveliness, seed: int = 0) -> None:
    """Draw every parameter as `enliven` does, then let channels be of unlike size."""
    enliven(module, lively, seed)
    rng = np.random.default_rng(seed + 1)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, (nn.Linear, nn.Conv1d, nn.Conv2d)):
                part.weight.mul_(_like(part.weight, _tails(rng, tuple(part.weight.shape))))
            elif isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
                part.weight.mul_(_like(part.weight, np.exp(rng.normal(0, _SPREAD, part.num_features))))
        _plant(list(_norms(module)), rng)


def _tails(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return what makes Student's t of normal numbers, with the variance that they had."""
    found: NDArray[np.float64] = np.sqrt((_FREEDOM - 2) / rng.chisquare(_FREEDOM, shape))
    return found


def _like(weight: Tensor, factors: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(factors).to(weight)


def _plant(norms: Sequence[Read], rng: np.random.Generator) -> None:
    """Make the same few channels of all norms loud."""
    if not norms:
        return
    loud = rng.choice(len(norms[0][0].weight), _OUTLIERS, replace=False)
    for norm, readers in norms:
        norm.weight[loud] *= _LOUDER
        for reader in readers:
            reader.weight[:, loud] /= _LOUDER


def _norms(module: nn.Module) -> Iterator[Read]:
    """Yield norms of transformer layers; the last one of BERT stays, for it is the answer."""
    layers = [part for part in module.modules() if type(part).__name__.endswith("Layer")]
    for part, following in zip_longest(layers, layers[1:]):
        kind = type(part).__name__
        if kind == "ViTLayer":
            yield part.layernorm_before, _asked(part.attention.attention)
            yield part.layernorm_after, (part.intermediate.dense,)
        elif kind == "BertLayer":
            yield part.attention.output.LayerNorm, (part.intermediate.dense,)
            if following is not None:
                yield part.output.LayerNorm, _asked(following.attention.self)
        elif kind == "AlbertLayer":
            yield part.attention.LayerNorm, (part.ffn,)
        elif kind == "Wav2Vec2EncoderLayer":
            yield part.layer_norm, (part.feed_forward.intermediate_dense,)


def _asked(attention: nn.Module) -> tuple[nn.Linear, ...]:
    return attention.query, attention.key, attention.value
