"""Exact simplifications of a trained model, made on copies."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from mmer.training.attention import CrossAttention
from mmer.training.mixture import Mixture

M = TypeVar("M", bound=nn.Module)
P = TypeVar("P", bound=nn.Module)


def replaced(module: M, kind: type[P], by: Callable[[P], nn.Module]) -> M:
    """Return a copy in evaluation mode in which every part of a kind, at any depth, has given way."""
    copy = deepcopy(module).eval()
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kind):
                setattr(parent, name, by(child).eval())
    return copy


class FoldedAttention(nn.Module):
    """A cross-attention from one query to one key: three projections of the key have become one."""

    def __init__(self, attention: CrossAttention) -> None:
        super().__init__()
        inner = attention.attention
        self.query = attention.query
        self.key = chained(attention.value, inner.value, inner.out)
        self.norm = attention.norm

    def alone(self, query: Tensor, key: Tensor, present: Tensor) -> Tensor:
        """Return `[B, E]` as `CrossAttention.alone` does."""
        out: Tensor = self.norm(self.query(query) + self.key(key) * present[:, None])
        return out


def chained(*layers: nn.Linear) -> nn.Linear:
    """Return the one layer that does what several do in a row, multiplied in float64 and rounded once."""
    weight = torch.eye(layers[0].in_features, dtype=torch.float64)
    bias = torch.zeros(layers[0].in_features, dtype=torch.float64)
    for layer in layers:
        weight = layer.weight.double() @ weight
        bias = layer.weight.double() @ bias + layer.bias.double()
    one = nn.Linear(layers[0].in_features, layers[-1].out_features)
    with torch.no_grad():
        one.weight.copy_(weight)
        one.bias.copy_(bias)
    return one


class Trusting(nn.Module):
    """The mixture that was never fitted."""

    def forward(self, deltas: Tensor) -> Tensor:
        """Return ones `[B, T, 1]`."""
        return torch.ones_like(deltas[..., :1])


class FrozenMixture(nn.Module):
    """A fitted mixture with everything that does not depend on the input computed beforehand."""

    means: Tensor
    scales: Tensor
    offsets: Tensor

    def __init__(self, mixture: Mixture) -> None:
        super().__init__()
        weights, variances = mixture.weights.double(), mixture.variances.double()
        self.register_buffer("means", mixture.means.clone())
        self.register_buffer("scales", variances.rsqrt().float())
        self.register_buffer("offsets", (weights.log() - 0.5 * (2 * math.pi * variances).log().sum(1)).float())
        self.low = float(mixture.low)
        self.span = float(mixture.high - mixture.low)

    def forward(self, deltas: Tensor) -> Tensor:
        """Return confidence `[B, T, 1]` for changes `[B, T, C]`, in the stable order of `Mixture`."""
        scaled = (deltas.unsqueeze(-2) - self.means) * self.scales
        likelihood = (self.offsets - 0.5 * scaled.square().sum(-1)).logsumexp(-1, keepdim=True)
        return ((likelihood - self.low) / self.span).clamp(0.0, 1.0)


def frozen(mixture: Mixture) -> nn.Module:
    """Return what a mixture does from now on."""
    return FrozenMixture(mixture) if mixture.informative else Trusting()
