"""Normalisation that padding cannot reach, and that is the same however many processes share a batch."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmer.training.ranks import joined, total


def steps_mask(lengths: Tensor, steps: int) -> Tensor:
    """Return `[B, S]`, True on the first `lengths` `[B]` steps."""
    return torch.arange(steps, device=lengths.device) < lengths.unsqueeze(1)


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose statistics are those of the valid steps; padded steps come out as 0."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, C, S]` for `[B, C, S]` and a mask `[B, S]`."""
        if mask is None:
            return super().forward(x)
        valid = mask.unsqueeze(1)
        return _normalised(self, x, valid) if self.training else super().forward(x) * valid


class FrameNorm(nn.BatchNorm2d):
    """Batch normalisation of pictures."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `[N, C, H, W]` for `[N, C, H, W]`."""
        if not self.training or not joined():
            return super().forward(x)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        everywhere = torch.ones(len(x), 1, *x.shape[2:], dtype=torch.bool, device=x.device)
        return _normalised(self, x, everywhere)


def _normalised(norm: _BatchNorm, x: Tensor, valid: Tensor) -> Tensor:
    """Return `[B, C, ...]` by the statistics of what is valid `[B, 1, ...]` on all ranks, and remember them."""
    x = x.float()  # half precision, as autocast gives it, cannot hold the sum of a long waveform
    over, each = (0, *range(2, x.ndim)), (-1, *(1 for _ in x.shape[2:]))
    count = total(valid.sum())
    mean = total((x * valid).sum(over)) / count
    centred = (x - mean.view(each)) * valid
    variance = total(centred.square().sum(over)) / count
    _remember(norm, mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
    scale = norm.weight * (variance + norm.eps).rsqrt()
    return (centred * scale.view(each) + norm.bias.view(each)) * valid


def _remember(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.momentum is not None
    norm.running_mean.lerp_(mean.to(norm.running_mean), norm.momentum)
    norm.running_var.lerp_(variance.to(norm.running_var), norm.momentum)
