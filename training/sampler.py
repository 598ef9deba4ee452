"""Which training samples an epoch shows, and how they are cut into batches."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.inputs.constants import among, within

Places = NDArray[np.int64]

_SORTED = 8  # less padding, and still a fresh mixture in each epoch


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """How often a class is shown."""

    kind: str = "each"
    """One of `SAMPLERS`."""
    temper: float = 0.5
    """For `tempered`: 0 draws classes as often as they are, 1 all alike, as `weighted` does."""
    sorted_batches: int = _SORTED
    """So many are sorted by length together, for less padding; 1 lets long and short ones meet."""

    def __post_init__(self) -> None:
        among("sampler.kind", self.kind, SAMPLERS)
        within("sampler.temper", self.temper, 0.0, 1.0)
        within("sampler.sorted_batches", self.sorted_batches, 1, 1 << 16)


def drawn(labels: Places, settings: SamplerSettings, rng: np.random.Generator) -> Places:
    """Return as many places as there are labels `[N]`, those that one epoch shows."""
    return SAMPLERS[settings.kind](labels, settings, rng)


def batches(
    lengths: NDArray[np.int64], size: int, rng: np.random.Generator, together: int = _SORTED
) -> Iterator[list[int]]:
    """Yield all indices once, in batches of clips of similar length; the last batch may be smaller."""
    order = rng.permutation(len(lengths))
    pools = [order[first : first + size * together] for first in range(0, len(order), size * together)]
    alike = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    cut = [pool[first : first + size].tolist() for pool in alike for first in range(0, len(pool), size)]
    for place in rng.permutation(len(cut)):
        yield cut[place]


def _each(labels: Places, _settings: SamplerSettings, _rng: np.random.Generator) -> Places:
    return np.arange(len(labels))


def _weighted(labels: Places, _settings: SamplerSettings, rng: np.random.Generator) -> Places:
    return _by_rarity(labels, 1.0, rng)


def _tempered(labels: Places, settings: SamplerSettings, rng: np.random.Generator) -> Places:
    return _by_rarity(labels, settings.temper, rng)


def _balanced(labels: Places, _settings: SamplerSettings, rng: np.random.Generator) -> Places:
    """Take equally many of each class, to within one; a sample returns only when its whole class was shown."""
    classes = rng.permutation(np.unique(labels))  # those that come first take one more where it does not divide
    shares = [len(labels) // len(classes) + (k < len(labels) % len(classes)) for k in range(len(classes))]
    parts = []
    for label, share in zip(classes, shares, strict=True):
        members = np.flatnonzero(labels == label)
        rounds = [rng.permutation(members) for _ in range(-(-share // len(members)))]
        parts.append(np.concatenate(rounds)[:share])
    return np.concatenate(parts)


def _by_rarity(labels: Places, temper: float, rng: np.random.Generator) -> Places:
    """Draw with replacement, each sample with a chance of `n ** -temper` for the `n` samples of its class."""
    chances = np.bincount(labels)[labels].astype(np.float64) ** -temper
    return rng.choice(len(labels), len(labels), p=chances / chances.sum())


SAMPLERS: Mapping[str, Callable[[Places, SamplerSettings, np.random.Generator], Places]] = {
    "each": _each,
    "weighted": _weighted,
    "tempered": _tempered,
    "balanced": _balanced,
}
"""All are fitted to the labels of the training split: nothing else reaches them."""
