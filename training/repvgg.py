"""Convolution blocks that train as three branches and run as one."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from mmer.training.masked import FrameNorm


class RepVggBlock(nn.Module):
    """The sum of a 3x3 and a 1x1 convolution and, at equal widths, the input, each normalised; then ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.dense = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.dense_norm = FrameNorm(channels_out)
        self.point = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.point_norm = FrameNorm(channels_out)
        self.identity_norm = FrameNorm(channels_out) if channels_in == channels_out else None

    def forward(self, x: Tensor) -> Tensor:
        """Return `[N, channels_out, H, W]`."""
        y: Tensor = self.dense_norm(self.dense(x)) + self.point_norm(self.point(x))
        if self.identity_norm is not None:
            y = y + self.identity_norm(x)
        return y.relu()

    def fused(self) -> nn.Sequential:
        """Return the same function in evaluation as one convolution and ReLU; leaves this block as it is."""
        parts = [_scaled(self.dense.weight, self.dense_norm), _scaled(_centred(self.point.weight), self.point_norm)]
        if self.identity_norm is not None:
            unit = torch.eye(self.dense.in_channels, dtype=torch.float64, device=self.dense.weight.device)
            parts.append(_scaled(_centred(unit[:, :, None, None]), self.identity_norm))
        kernels, biases = zip(*parts, strict=True)
        conv = nn.Conv2d(self.dense.in_channels, self.dense.out_channels, 3, padding=1).to(self.dense.weight)
        summed = {"weight": torch.stack(kernels).sum(0), "bias": torch.stack(biases).sum(0)}
        conv.load_state_dict(summed)  # copies, and rounds to the block's precision
        return nn.Sequential(conv, nn.ReLU())


def _centred(kernel: Tensor) -> Tensor:
    """Return a 1x1 kernel as the centre of a 3x3 one."""
    return nn.functional.pad(kernel, (1, 1, 1, 1))


def _scaled(kernel: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return kernel and bias of a convolution followed by a norm, computed in float64 and rounded once."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = norm.bias.double() - norm.running_mean.double() * scale
    return kernel.double() * scale[:, None, None, None], bias


def fused(module: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode with every block fused; training goes on with the original."""
    copy = deepcopy(module).eval()
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, RepVggBlock):
                setattr(parent, name, child.fused().eval())
    return copy
