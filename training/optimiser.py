"""Parameter groups, the optimiser and the course of its learning rate."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from mmer.edge.inputs.constants import among, within
from mmer.training.groups import ALL, Groups

OPTIMISERS: Mapping[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}
"""Weight decay is part of the gradient in the first and apart from it in the second."""


@dataclass(frozen=True, slots=True)
class OptimiserSettings:
    """The defaults are those published for `cafes` (docs/cafes.md 8)."""

    kind: str = "adam"
    """One of `OPTIMISERS`."""
    lr: float = 4e-5
    text_lr_share: float = 0.01
    """Learning rate of the text encoder over that of the rest, unless `rates.text` says another."""
    weight_decay: float = 1e-5
    schedule: str = "cosine"
    """One of `SCHEDULES`: how the rate falls after the warm-up."""
    warmup: float = 0.0
    """Share of the steps during which the rate rises from 0."""
    plateau_epochs: int = 3
    """For `plateau`: so many epochs without a better one make the rate fall."""
    plateau_factor: float = 0.5
    """For `plateau`: by which it falls."""
    clip_norm: float = 0.0
    """Gradients longer than this are shortened; 0 leaves them alone."""

    def __post_init__(self) -> None:
        among("kind", self.kind, OPTIMISERS)
        within("lr", self.lr, 1e-9, 1.0)
        within("text_lr_share", self.text_lr_share, 0.0, 1.0)
        within("weight_decay", self.weight_decay, 0.0, 1.0)
        among("schedule", self.schedule, SCHEDULES)
        within("warmup", self.warmup, 0.0, 0.9)
        within("plateau_epochs", self.plateau_epochs, 1, 10_000)
        within("plateau_factor", self.plateau_factor, 1e-6, 1.0)
        within("clip_norm", self.clip_norm, 0.0, 1e6)


def make_optimiser(model: nn.Module, settings: OptimiserSettings, groups: Groups = ALL) -> Adam:
    """Return the optimiser over what is not frozen, one group for each rate."""
    rated: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        rated.setdefault(groups.rate(name), []).append(parameter)
    parts = [{"params": parameters, "lr": settings.lr * rate} for rate, parameters in rated.items() if rate]
    return OPTIMISERS[settings.kind](parts, weight_decay=settings.weight_decay)


class Schedule:
    """Sets the learning rates for a step; it remembers nothing, so that a training can go on from any step."""

    def __init__(self, optimiser: Optimizer, settings: OptimiserSettings, steps: int) -> None:
        self._optimiser, self._settings, self._steps = optimiser, settings, steps
        self._full = [group["lr"] for group in optimiser.param_groups]
        self._rising = round(settings.warmup * steps)

    def at(self, step: int, worths: Sequence[float] = ()) -> None:
        """Set the rates for a step, from 0, after epochs that were worth so much."""
        share = self.share(step)
        if self._settings.schedule == "plateau":
            share *= plateau(worths, self._settings.plateau_epochs, self._settings.plateau_factor)
        for group, full in zip(self._optimiser.param_groups, self._full, strict=True):
            group["lr"] = full * share

    def share(self, step: int) -> float:
        """Return the share of the full rate: a linear rise, then the chosen course."""
        if step < self._rising:
            return (step + 1) / (self._rising + 1)
        return SCHEDULES[self._settings.schedule](step - self._rising, max(self._steps - self._rising, 1))


SCHEDULES: Mapping[str, Callable[[int, int], float]] = {
    "cosine": lambda done, of: (1 + math.cos(math.pi * done / of)) / 2,
    "linear": lambda done, of: 1 - done / of,
    "constant": lambda _done, _of: 1.0,
    "plateau": lambda _done, _of: 1.0,
}
"""Share of the full rate after so many of the steps that follow the warm-up."""


def plateau(worths: Sequence[float], patience: int, factor: float) -> float:
    """Return the share of the full rate after epochs that were worth so much: a factor for each wait in vain."""
    share, best, waited = 1.0, -math.inf, 0
    for worth in worths:
        best, waited = (worth, 0) if worth > best else (best, waited + 1)
        if waited == patience:
            share, waited = share * factor, 0
    return share
