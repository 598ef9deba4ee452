"""What each modality adds to an answer: the model is asked again with every set of them left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import factorial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Kept: TypeAlias = tuple[str, ...]
Ask: TypeAlias = Callable[[Kept], NDArray[np.float64]]
"""From the modalities that are kept to probabilities `[K]`."""


@dataclass(frozen=True, slots=True)
class Subset:
    """The answer to one set of modalities."""

    probability: float
    """Of the label that is explained."""
    change: float
    """From that with all modalities."""
    label: str
    """The likeliest."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """The answers to all sets of the modalities that are present."""

    subsets: Mapping[str, Subset]
    """By the names of those kept, such as `video+text`; all of them first."""
    shapley: Mapping[str, float]
    """By modality; they sum to the probability with all less `nothing`."""
    nothing: float
    """The probability that stands for no modality at all: an equal share of each label."""


def ablate(ask: Ask, present: Kept, labels: Sequence[str], label: str) -> Ablation:
    """Ask for every set of one or more of the modalities present."""
    answers = {kept: ask(kept) for kept in subsets(present)}
    values = {kept: float(answer[labels.index(label)]) for kept, answer in answers.items()}
    nothing = 1 / len(labels)
    found = {
        "+".join(kept): Subset(value, value - values[present], labels[int(answers[kept].argmax())])
        for kept, value in values.items()
    }
    return Ablation(found, shapley(values | {(): nothing}, present), nothing)


def subsets(present: Kept) -> list[Kept]:
    """Return every set of one or more, the largest first, each in the usual order."""
    sizes = range(len(present), 0, -1)
    return list(chain.from_iterable(combinations(present, size) for size in sizes))


def shapley(values: Mapping[Kept, float], players: Kept) -> dict[str, float]:
    """Return each player's mean gain over all orders in which they may come; `values` has every set, also none."""
    found = dict.fromkeys(players, 0.0)
    for player in players:
        for without in (kept for kept in values if player not in kept):
            joined = tuple(name for name in players if name == player or name in without)
            share = factorial(len(without)) * factorial(len(players) - len(without) - 1) / factorial(len(players))
            found[player] += share * (values[joined] - values[without])
    return found
