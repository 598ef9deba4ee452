"""RepVGG (Ding et al. 2021), small, and the weight decay that its authors train it with."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mmer.training.repvgg import RepVggBlock

WIDTHS = (24, 48, 96)
"""Of the stages, at a half, a quarter and an eighth of the still's side."""
BLOCKS = (3, 6, 2)


class RepVgg(nn.Module):
    """Logits of a still; `mmer.training.repvgg.fused` turns it into plain convolutions."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
        before = 4
        for width, count in zip(WIDTHS, BLOCKS, strict=True):
            widths = [before, *[width] * count]
            layers += [RepVggBlock(*pair) for pair in pairwise(widths)]
            layers.append(nn.MaxPool2d(2))
            before = width
        layers.pop()
        self.stages = nn.Sequential(*layers)
        self.head = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, classes]` for `[B, 1, 48, 48]`."""
        y: Tensor = self.head(self.stages(x).mean((2, 3)))
        return y


def custom_l2(network: nn.Module) -> Tensor:
    """Return the penalty of the authors' code (`get_custom_L2`), which they name better for accuracy.

    The rim of a 3x3 kernel costs its square. Its centre counts together with the 1x1 kernel as they will be fused,
    over the squares of what the norms multiply them by; so what the norms multiply by may grow for nothing
    (QARepVGG, arXiv 2212.01593, section 3).
    """
    return torch.stack([_of_block(block) for block in network.modules() if isinstance(block, RepVggBlock)]).sum()


def decayed_alone(network: nn.Module) -> list[nn.Parameter]:
    """Return the weights that `custom_l2` leaves to plain decay: the published code decays neither norms nor biases."""
    inside = {id(p) for block in network.modules() if isinstance(block, RepVggBlock) for p in block.parameters()}
    return [p for p in network.parameters() if id(p) not in inside and p.ndim > 1]


def _of_block(block: RepVggBlock) -> Tensor:
    dense, point = block.dense.weight, block.point.weight
    by_dense, by_point = _factor(block.dense_norm), _factor(block.point_norm)
    rim = dense.square().sum() - dense[:, :, 1:2, 1:2].square().sum()
    centre = dense[:, :, 1:2, 1:2] * by_dense + point * by_point
    return rim + (centre.square() / (by_dense.square() + by_point.square())).sum()


def _factor(norm: nn.BatchNorm2d) -> Tensor:
    """Return what a norm multiplies each channel by, `[C, 1, 1, 1]`; only the kernels learn from it."""
    assert norm.running_var is not None
    return (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().reshape(-1, 1, 1, 1)
