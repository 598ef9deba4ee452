"""Random models whose answers depend on what they are given, so that a comparison with one means something."""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from copy import deepcopy

import torch
from torch import Tensor, nn

from mmer.export.cases import Window
from mmer.training.collate import collate
from mmer.training.model import EmotionModel

_GAIN = math.sqrt(2)  # keeps the variance through a ReLU
_BIAS = 0.2
_LOUDER = 3.0  # for the last layers: of several random heads, one may undo what another does
_LEAST = 0.05  # what varies less would be made of rounding
_MOMENTUM = 0.1  # torch's own
_SEEN = 9
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def enliven(model: EmotionModel, windows: Sequence[Window], size: int, seed: int = 0) -> EmotionModel:
    """Return a copy with new random weights, its layers standardised on the first windows.

    Fresh weights shrink what differs between inputs layer by layer until the biases decide. So each norm takes its
    statistics from the windows, and each linear layer is scaled and shifted, once, to vary about 0 by about 1
    (LSUV, Mishkin and Matas 2016, arXiv:1511.06422).
    """
    copy = deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in copy.modules():
            _draw(module, generator)
        copy.train()
        for module in copy.modules():
            if isinstance(module, nn.Dropout):
                module.eval()  # draws from torch's own generator
        with copy.epoch(), ExitStack() as stack:
            for module in copy.modules():
                if isinstance(module, nn.Linear):
                    stack.callback(module.register_forward_hook(_Spread()).remove)
            output = copy(collate([window.arrays for window in windows[:_SEEN]], size))
        for module in copy.modules():
            if isinstance(module, _NORMS):
                module.momentum = _MOMENTUM
            if isinstance(module, nn.Linear) and module.out_features == output.logits.shape[1]:
                module.weight *= _LOUDER
    return copy.eval()


class _Spread:
    """Scales and shifts a linear layer by what it makes the first time; the layer keeps its random bias."""

    def __init__(self) -> None:
        self.done = False

    def __call__(self, layer: nn.Linear, _: tuple[Tensor], made: Tensor) -> Tensor:
        rows = made.flatten(0, -2)
        if self.done or len(rows) < 2:
            return made
        self.done = True
        mean = rows.mean(0)
        scale = 1 / max(_LEAST, float((rows - mean).square().mean().sqrt()))
        layer.weight *= scale
        if layer.bias is None:
            return made * scale
        moved: Tensor = (layer.bias - mean) * scale + layer.bias
        changed = (made - layer.bias) * scale + moved
        layer.bias.copy_(moved)
        return changed


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, _NORMS):
        module.momentum = 1.0
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.dim() > 1:
            parameter.normal_(0, _GAIN / math.sqrt(parameter[0].numel()), generator=generator)
        else:
            centre = 1.0 if "norm" in type(module).__name__.lower() and name == "weight" else 0.0
            parameter.normal_(centre, _BIAS, generator=generator)
    if isinstance(module, nn.Linear) and module.out_features == 1:  # no other output makes up for a weight near 0
        module.weight.sign_().mul_(_GAIN / math.sqrt(module.in_features))
