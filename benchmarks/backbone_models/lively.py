"""Random weights with which any module's answers differ between inputs, so that a comparison with them means something.

Fresh weights shrink what differs between inputs layer by layer until the biases decide. Here products keep as
much of the variance as their network can carry, norms and biases differ between channels, batch norms hold the
statistics of real inputs, and what sums up an input reads what differs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_SCALE = 0.2
_ASKING = {"query", "key", "q_proj", "k_proj"}
_MOVED = 0.5
"""Of what is added to a sequence, such as positions."""
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@dataclass(frozen=True, slots=True)
class Liveliness:
    """How far parameters are from what they are about."""

    gain: float
    """Of a product: how many times the variance of what it reads it has."""
    sharpness: float
    """The same for queries and keys: even attention makes all places alike, layer by layer."""
    bias: float
    """Deviation of what is added."""


def enliven(module: nn.Module, lively: Liveliness, seed: int = 0) -> None:
    """Draw every parameter anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for path, part in module.named_modules():
            for name, parameter in part.named_parameters(recurse=False):
                centre, deviation = _spread(part, f"{path}.{name}", parameter, lively)
                parameter.normal_(centre, deviation, generator=generator)


def settle(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Give batch norms the statistics of a batch of inputs."""
    norms = [part for part in module.modules() if isinstance(part, _BATCH_NORMS)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        module(*inputs)
    module.eval()


def attend(module: nn.Module, summary: nn.Linear, inputs: Sequence[tuple[Tensor, ...]]) -> None:
    """Turn a layer that sums up a whole input towards what differs between inputs, as training does.

    A random layer reads what all inputs have in common; of that, rounding changes as much as inputs differ by.
    """
    read: list[Tensor] = []
    hook = summary.register_forward_pre_hook(lambda _, given: read.append(given[0].reshape(-1, summary.in_features)))
    with torch.no_grad():
        for given in inputs:
            module(*given)
        hook.remove()
        rows = torch.cat(read).double()
        _, deviations, directions = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
        turned = summary.weight.double() @ (directions.T * deviations) @ directions
        lengths = summary.weight.double().norm() / turned.norm()
        summary.weight.copy_(turned * lengths)


def _spread(part: nn.Module, path: str, parameter: Tensor, lively: Liveliness) -> tuple[float, float]:
    """Return mean and deviation for one parameter of a part."""
    *_, role, name = path.split(".")
    if parameter.dim() < 2:
        scales = "norm" in type(part).__name__.lower() and name == "weight"
        return (1.0, _SCALE) if scales else (0.0, lively.bias)
    if isinstance(part, nn.Embedding):
        return 0.0, 1.0
    if isinstance(part, (nn.Linear, nn.RNNBase, *_CONVOLUTIONS)):
        return 0.0, math.sqrt((lively.sharpness if role in _ASKING else lively.gain) / parameter[0].numel())
    return 0.0, _MOVED
