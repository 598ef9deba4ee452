"""Mixup: a training sample with a share of another in it, and of its truth (Zhang and others, 2018).

Only samples with the same modalities meet, and none that has words: half of two sentences is no sentence, and a sample
whose words tell all about one class must not be asked for two. Such samples stay as they are; modality dropout is what
makes some of them wordless.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.training.collate import Arrays

Truth = NDArray[np.float32]
"""Share of each class in each sample, `[B, K]`, rows adding up to 1."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample, the one mixed into it, and the share that stays its own."""

    place: int
    other: int
    share: float


def mixed(rows: Sequence[Arrays], truth: Truth, alpha: float, rng: np.random.Generator) -> tuple[list[Arrays], Truth]:
    """Return the samples of a batch mixed by shares from Beta(alpha, alpha), and what is then true of each."""
    new_rows, new_truth = list(rows), truth.copy()
    for pair in _pairs(rows, alpha, rng):
        new_rows[pair.place] = _blend(rows[pair.place], rows[pair.other], pair.share)
        new_truth[pair.place] = pair.share * truth[pair.place] + (1 - pair.share) * truth[pair.other]
    return new_rows, new_truth


def _pairs(rows: Sequence[Arrays], alpha: float, rng: np.random.Generator) -> Iterator[Pair]:
    """Yield a pair for every sample that has another of its kind: each is mixed once into another."""
    for kind in sorted({row.present for row in rows if row.ids is None}):
        members = rng.permutation([place for place, row in enumerate(rows) if row.present == kind]).tolist()
        shares = rng.beta(alpha, alpha, len(members)).tolist()
        if len(members) > 1:
            others = members[1:] + members[:1]
            yield from map(Pair, members, others, shares)


def _blend(row: Arrays, other: Arrays, share: float) -> Arrays:
    """Return both at once, as long as the shorter one, so that the share holds at every moment."""
    frames, samples = _sum(row.frames, other.frames, share), _sum(row.samples, other.samples, share)
    if samples is not None:
        samples /= np.hypot(share, 1 - share)  # as loud as either: the model hears levelled sound (Tokozume, 2018)
    return Arrays(frames, samples, None)


def _sum(
    values: NDArray[np.float32] | None, others: NDArray[np.float32] | None, share: float
) -> NDArray[np.float32] | None:
    if values is None or others is None:
        return None
    length = min(len(values), len(others))
    total: NDArray[np.float32] = np.float32(share) * values[:length] + np.float32(1 - share) * others[:length]
    return total
