"""Normalisation that padding cannot reach."""

import torch
from torch import Tensor, nn


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
        if not self.training:
            return super().forward(x) * valid
        x = x.float()  # half precision, as autocast gives it, cannot hold the sum of a long waveform
        count = mask.sum()
        mean = (x * valid).sum((0, 2)) / count
        centred = (x - mean[:, None]) * valid
        variance = centred.square().sum((0, 2)) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None] + self.bias[:, None]) * valid

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var), self.momentum)
