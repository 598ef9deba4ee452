"""A sequence in one vector: what it is like on the whole, and how much it moves."""

import torch
from torch import Tensor, nn

from mmer.training.attention import masked_mean
from mmer.training.dropout import Dropout
from mmer.training.masked import MaskedBatchNorm

_LEAST = 1e-4
"""Keeps the slope of a root finite."""


class Summary(nn.Module):
    """Mean and deviation over time, normalised and projected."""

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = MaskedBatchNorm(2 * channels)
        self.dropout = Dropout(dropout)
        self.project = nn.Linear(2 * channels, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return `[B, 1, D]` for `[B, S, C]` and a mask `[B, S]`."""
        mean = masked_mean(x, mask)
        spread = (masked_mean((x - mean.unsqueeze(1)).square(), mask) + _LEAST).sqrt()
        rows = torch.cat([mean, spread], 1)
        normed = self.norm(rows.unsqueeze(2), torch.ones_like(rows[:, :1], dtype=torch.bool) if self.training else None)
        out: Tensor = self.project(self.dropout(normed.squeeze(2))).unsqueeze(1)
        return out
