"""Random models whose answers depend on what they are given, so that a comparison with one means something."""

import math
from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import nn

from mmer.export.cases import Window
from mmer.training.collate import collate
from mmer.training.model import EmotionModel

_GAIN = math.sqrt(2)  # keeps the variance through a ReLU
_BIAS = 0.2
_LOUDER = 3.0  # for the last layers: of several random heads, one may undo what another does
_MOMENTUM = 0.1  # torch's own
_SEEN = 9
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def enliven(model: EmotionModel, windows: Sequence[Window], size: int, seed: int = 0) -> EmotionModel:
    """Return a copy with new random weights and with the statistics of the first windows in its norms.

    Fresh weights shrink what differs between inputs layer by layer until the biases decide.
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
        with copy.epoch():
            output = copy(collate([window.arrays for window in windows[:_SEEN]], size))
        for module in copy.modules():
            if isinstance(module, _NORMS):
                module.momentum = _MOMENTUM
            if isinstance(module, nn.Linear) and module.out_features == output.logits.shape[1]:
                module.weight *= _LOUDER
    return copy.eval()


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
