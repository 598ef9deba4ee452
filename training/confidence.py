"""The confidence-guided filter: which channels of which steps of a sequence to trust (docs/cafes.md 5)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mmer.edge.inputs.constants import among
from mmer.training.mixture import Mixture
from mmer.training.ranks import gathered
from mmer.training.reservoir import Reservoir


def changes(x: Tensor) -> Tensor:
    """Return the absolute difference of each step of `[B, T, C]` to the one before; 0 at the first step."""
    before = torch.cat([x[:, :1], x], 1)[:, :-1]  # a slice of T - 1 steps could not be exported for any T
    return (x - before).abs()


class LocalConfidence(nn.Sequential):
    """How usual a change is, judged from itself: a small network that learns with the model."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Linear(channels, 64),
            nn.ReLU(),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, channels),
            nn.Sigmoid(),
        )


class Blend(nn.Module):
    """A weighted mean of the local and the global view; the weight is learned and found for each element."""

    def __init__(self, local: LocalConfidence, mixture: Mixture) -> None:
        super().__init__()
        self.local = local
        self.mixture = mixture
        self.weigh = nn.Linear(2, 1)

    def forward(self, deltas: Tensor) -> Tensor:
        """Return confidence `[B, T, C]` for changes `[B, T, C]`."""
        local: Tensor = self.local(deltas)
        shared: Tensor = self.mixture(deltas)
        shared = shared.to(local.dtype).expand_as(local)
        weight: Tensor = self.weigh(torch.stack([local, shared], -1)).squeeze(-1).sigmoid()
        return weight * local + (1 - weight) * shared


class ConfidenceFilter(nn.Module):
    """How far to trust each step of a sequence, in one of the `VIEWS`."""

    def __init__(self, view: nn.Module) -> None:
        super().__init__()
        self.view = view

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return confidence within 0..1 for `[B, T, C]` and its mask, `[B, T, C]` or `[B, T, 1]`; 0 on padded steps."""
        confidence: Tensor = self.view(changes(x)).to(x.dtype)
        return confidence if mask is None else confidence * mask.unsqueeze(2)

    @contextmanager
    def refitted(self) -> Iterator[None]:
        """Gather the changes that pass in training, and fit the mixture to a sample of them at the end."""
        mixtures = [part for part in self.modules() if isinstance(part, Mixture)]
        if not mixtures:
            yield
            return
        seen = Reservoir()

        def gather(module: nn.Module, args: tuple[Tensor, Tensor | None]) -> None:
            x, mask = args
            if module.training:
                later = changes(x.detach())[:, 1:]
                rows = later.flatten(0, 1) if mask is None else later[mask[:, 1:]]
                seen.add(gathered(rows.float()).cpu().numpy())

        handle = self.register_forward_pre_hook(gather)
        try:
            yield
        finally:
            handle.remove()
        for mixture in mixtures:
            mixture.fit(seen.rows())


VIEWS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "gmm": Mixture,
    "ffn": lambda channels, _: LocalConfidence(channels),
    "both": lambda channels, components: Blend(LocalConfidence(channels), Mixture(channels, components)),
}
"""What makes each view for so many channels and components: global, local, and both."""

FORMS = ("none", *VIEWS)
"""The ablation of docs/cafes.md 10."""


def confidence_filter(form: str, channels: int, components: int) -> ConfidenceFilter | None:
    """Return the filter of a form, one of `FORMS`."""
    among("confidence", form, FORMS)
    return None if form == "none" else ConfidenceFilter(VIEWS[form](channels, components))
