"""A vision transformer (Dosovitskiy et al. 2021), small: norms first, no registers, the mean of all tokens answers.

Three convolutions cut the patches (Xiao et al. 2021): by one linear layer the network had learned nothing of 27,000
stills after two epochs. The mean is the head of Beyer et al. (2022).
"""

from dataclasses import dataclass

import torch
from linear.pictures import SIDE
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class VitSize:
    """How large it is."""

    width: int = 64
    blocks: int = 8
    heads: int = 2


class Attention(nn.Module):
    """Every token looks at every token."""

    def __init__(self, size: VitSize) -> None:
        super().__init__()
        self.heads, self.depth = size.heads, size.width // size.heads
        self.queries, self.keys, self.values, self.out = (nn.Linear(size.width, size.width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, T, D]`."""
        q, k, v = (self._split(part(x)) for part in (self.queries, self.keys, self.values))
        shares = (q @ k.transpose(-1, -2) * self.depth**-0.5).softmax(-1)
        y: Tensor = self.out((shares @ v).transpose(1, 2).flatten(2))
        return y

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1, self.heads, self.depth).transpose(1, 2)


class Block(nn.Module):
    """Attention and two linear layers, each added to what it read before the norm."""

    def __init__(self, size: VitSize) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.attention = Attention(size)
        self.mlp = nn.Sequential(
            nn.Linear(size.width, 4 * size.width), nn.GELU(), nn.Linear(4 * size.width, size.width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, T, D]`."""
        x = x + self.attention(self.first(x))
        y: Tensor = x + self.mlp(self.second(x))
        return y


class Vit(nn.Module):
    """Logits of a still."""

    def __init__(self, classes: int, size: VitSize = VitSize()) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            *_halving(1, 16), *_halving(16, 32), *_halving(32, 64), nn.Conv2d(64, size.width, 1)
        )
        tokens = (SIDE // 8) ** 2
        self.places = nn.Parameter(0.02 * torch.randn(1, tokens, size.width))
        self.blocks = nn.Sequential(*(Block(size) for _ in range(size.blocks)))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, classes]` for `[B, 1, 48, 48]`."""
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        y: Tensor = self.head(self.norm(self.blocks(tokens + self.places)).mean(1))
        return y


def _halving(before: int, width: int) -> tuple[nn.Module, ...]:
    """Return layers that halve a picture."""
    return nn.Conv2d(before, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
