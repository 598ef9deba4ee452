"""Parameter groups, the optimiser and the course of its learning rate."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from mmer.edge.inputs.constants import among, within

OPTIMISERS: Mapping[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}
"""Weight decay is part of the gradient in the first and apart from it in the second."""


@dataclass(frozen=True, slots=True)
class OptimiserSettings:
    """The defaults are those published for `cafes` (docs/cafes.md 8)."""

    kind: str = "adam"
    """One of `OPTIMISERS`."""
    lr: float = 4e-5
    text_lr_share: float = 0.01
    """Learning rate of the text encoder over that of the rest; for an encoder that was trained before."""
    weight_decay: float = 1e-5
    warmup: float = 0.0
    """Share of the steps during which the rate rises from 0."""
    clip_norm: float = 0.0
    """Gradients longer than this are shortened; 0 leaves them alone."""

    def __post_init__(self) -> None:
        among("kind", self.kind, OPTIMISERS)
        within("lr", self.lr, 1e-9, 1.0)
        within("text_lr_share", self.text_lr_share, 0.0, 1.0)
        within("weight_decay", self.weight_decay, 0.0, 1.0)
        within("warmup", self.warmup, 0.0, 0.9)
        within("clip_norm", self.clip_norm, 0.0, 1e6)


def make_optimiser(model: nn.Module, settings: OptimiserSettings) -> Adam:
    """Return the optimiser over two groups: the text encoder, and the rest."""
    named = list(model.named_parameters())
    text = [parameter for name, parameter in named if name.startswith("text.")]
    rest = [parameter for name, parameter in named if not name.startswith("text.")]
    groups = [{"params": rest, "lr": settings.lr}, {"params": text, "lr": settings.lr * settings.text_lr_share}]
    return OPTIMISERS[settings.kind]([g for g in groups if g["params"]], weight_decay=settings.weight_decay)


def cosine(optimiser: Optimizer, settings: OptimiserSettings, steps: int) -> LambdaLR:
    """Return the schedule, to be moved on after each step: a linear rise, then half a cosine down to 0."""
    rising = round(settings.warmup * steps)

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        return (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1))) / 2

    return LambdaLR(optimiser, share)
