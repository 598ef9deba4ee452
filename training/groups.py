"""Which parts of a model train, and at which share of the learning rate."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import nn

from mmer.edge.errors import SettingError
from mmer.training.model import EmotionModel


@dataclass(frozen=True, slots=True)
class Groups:
    """Parts by the dotted prefix of their names, such as `video.layers`; the longest that fits decides."""

    trains: tuple[str, ...] = ()
    """What is in none of these is frozen; without any, nothing is."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Learning rate of a part over that of the rest; 0 freezes it."""

    @classmethod
    def of(cls, model: EmotionModel, trains: Collection[str], rates: Mapping[str, float]) -> "Groups":
        """Return the groups with branches spelled out.

        Raises `SettingError` for a name that is no part of the model, and when everything is frozen.
        """
        for name in (*trains, *rates):
            _require(model, name)
        branches = {branch: parts for branch, parts in model.branches.items() if branch in rates}
        spelled = {part: rates[branch] for branch, parts in branches.items() for part in parts}
        parts = tuple(part for name in trains for part in model.branches.get(name, (name,)))
        groups = cls(parts, {**spelled, **rates})
        if not any(groups.rate(name) for name, _ in model.named_parameters()):
            raise SettingError("everything is frozen; let a part train, or give one a rate above 0")
        return groups

    def rate(self, name: str) -> float:
        """Return the share of the learning rate for a parameter or module, 0 where it is frozen."""
        if self.trains and not any(_under(name, part) for part in self.trains):
            return 0.0
        found = [part for part in self.rates if _under(name, part)]
        return self.rates[max(found, key=len)] if found else 1.0

    def enter_training(self, model: nn.Module) -> None:
        """Put what trains in training mode and what is frozen, its statistics included, in that of evaluation."""
        for name, module in model.named_modules():
            module.training = not name or self.rate(name) > 0

    @contextmanager
    def frozen(self, model: nn.Module) -> Iterator[None]:
        """Keep gradients away from what is frozen."""
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(self.rate(name) > 0)
            parameter.grad = None  # what an earlier stage left would still count where gradients are clipped
        try:
            yield
        finally:
            model.requires_grad_()


ALL = Groups()


def _under(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _require(model: EmotionModel, name: str) -> None:
    if name in model.branches or any(_under(parameter, name) for parameter, _ in model.named_parameters()):
        return
    parts = ", ".join(child for child, _ in model.named_children())
    raise SettingError(f"no part of the model is called {name!r}; there are {parts}, and what is in them after a dot")
