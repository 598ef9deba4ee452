"""The loss of a batch, as settings choose it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mmer.edge.inputs.constants import among, within
from mmer.training.batch import Output
from mmer.training.losses import balanced_alpha, balanced_softmax, focal, focal_bce, mean_alignment

WEIGHTS = ("balanced", "none")


@dataclass(frozen=True, slots=True)
class LossSettings:
    """The defaults are those published for `cafes`."""

    kind: str = "focal"
    """One of `LOSSES`."""
    gamma: float = 2.0
    """How much less a sample counts that is known already; 0 makes it cross-entropy."""
    weights: str = "balanced"
    """Whether rare classes weigh more, one of `WEIGHTS`; the counts are those of the training samples.

    It says nothing to `balanced_softmax`, which is fair to all classes in its own way."""
    smoothing: float = 0.0
    """Share of the truth that is spread over all classes."""
    taught: float = 0.0
    """Share of the loss that follows the beliefs of a teacher of words (Hinton et al. 2015) instead of the labels."""

    def __post_init__(self) -> None:
        among("loss.kind", self.kind, LOSSES)
        within("loss.gamma", self.gamma, 0.0, 10.0)
        among("loss.weights", self.weights, WEIGHTS)
        within("loss.smoothing", self.smoothing, 0.0, 0.9)
        within("loss.taught", self.taught, 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """What is minimised for a batch."""

    settings: LossSettings
    counts: Tensor
    """Training samples of each class, `[K]`."""
    beta: float
    """Weight of the alignment of confidence and error."""

    def __call__(self, output: Output, labels: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """Return the mean loss for class indices `[B]`, with the alignment of each modality that has confidence.

        `beliefs` are those of a teacher, `[B, K]`.
        """
        loss = LOSSES[self.settings.kind](output.logits, labels, self)
        if beliefs is not None:
            loss = loss.lerp(functional.cross_entropy(output.logits, beliefs), self.settings.taught)
        wrong = output.logits.argmax(1) != labels
        return loss + self.beta * mean_alignment(output.confidence.values(), wrong)


def _focal(logits: Tensor, labels: Tensor, objective: Objective) -> Tensor:
    settings, counts = objective.settings, objective.counts
    alpha = balanced_alpha(counts) if settings.weights == "balanced" else torch.ones_like(counts, dtype=logits.dtype)
    return focal(logits, labels, alpha, settings.gamma, settings.smoothing)


def _cross_entropy(logits: Tensor, labels: Tensor, objective: Objective) -> Tensor:
    settings = objective.settings
    alpha = balanced_alpha(objective.counts) if settings.weights == "balanced" else None
    entropy = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=settings.smoothing)
    return entropy.mean() if alpha is None else (alpha[labels] * entropy).mean()


def _focal_bce(logits: Tensor, labels: Tensor, objective: Objective) -> Tensor:
    """Ask for each class by itself; balanced, the ones of a class weigh in all as much as its zeros."""
    settings, counts = objective.settings, objective.counts
    classes = logits.shape[1]
    targets = functional.one_hot(labels, classes).to(logits.dtype)
    targets = targets * (1 - settings.smoothing) + settings.smoothing / classes
    shares = (counts / counts.sum()).to(logits.dtype)
    alpha = 1 - shares if settings.weights == "balanced" else torch.full_like(shares, 0.5)
    return focal_bce(logits, targets, alpha, settings.gamma)


def _balanced_softmax(logits: Tensor, labels: Tensor, objective: Objective) -> Tensor:
    return balanced_softmax(logits, labels, objective.counts, objective.settings.smoothing)


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Objective], Tensor]] = {
    "focal": _focal,
    "cross_entropy": _cross_entropy,
    "focal_bce": _focal_bce,
    "balanced_softmax": _balanced_softmax,
}
