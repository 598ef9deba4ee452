"""The loss of a batch, as settings choose it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mmer.edge.inputs.constants import among, within
from mmer.training.batch import Output
from mmer.training.losses import balanced_alpha, focal, focal_bce, mean_alignment
from mmer.training.truth import error, shares, weight

WEIGHTS = ("balanced", "none")


@dataclass(frozen=True, slots=True)
class LossSettings:
    """The defaults are those published for `cafes`."""

    kind: str = "focal"
    """One of `LOSSES`."""
    gamma: float = 2.0
    """How much less a sample counts that is known already; 0 makes it cross-entropy."""
    weights: str = "balanced"
    """Whether rare classes weigh more, one of `WEIGHTS`; the counts are those of the training samples."""
    smoothing: float = 0.0
    """Share of the truth that is spread over all classes."""

    def __post_init__(self) -> None:
        among("loss.kind", self.kind, LOSSES)
        within("loss.gamma", self.gamma, 0.0, 10.0)
        among("loss.weights", self.weights, WEIGHTS)
        within("loss.smoothing", self.smoothing, 0.0, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """What is minimised for a batch."""

    settings: LossSettings
    counts: Tensor
    """Training samples of each class, `[K]`."""
    beta: float
    """Weight of the alignment of confidence and error."""

    def __call__(self, output: Output, truth: Tensor) -> Tensor:
        """Return the mean loss, with the alignment of each modality that has confidence.

        `truth` is class indices `[B]`, or for mixed samples the share of each class `[B, K]`.
        """
        loss = LOSSES[self.settings.kind](output.logits, truth, self)
        wrong = error(output.logits, truth)
        return loss + self.beta * mean_alignment(output.confidence.values(), wrong)


def _focal(logits: Tensor, truth: Tensor, objective: Objective) -> Tensor:
    settings, counts = objective.settings, objective.counts
    alpha = balanced_alpha(counts) if settings.weights == "balanced" else torch.ones_like(counts, dtype=logits.dtype)
    return focal(logits, truth, alpha, settings.gamma, settings.smoothing)


def _cross_entropy(logits: Tensor, truth: Tensor, objective: Objective) -> Tensor:
    settings = objective.settings
    alpha = balanced_alpha(objective.counts) if settings.weights == "balanced" else None
    entropy = functional.cross_entropy(logits, truth, reduction="none", label_smoothing=settings.smoothing)
    return entropy.mean() if alpha is None else (weight(alpha, truth) * entropy).mean()


def _focal_bce(logits: Tensor, truth: Tensor, objective: Objective) -> Tensor:
    """Ask for each class by itself; balanced, the ones of a class weigh in all as much as its zeros."""
    settings, counts = objective.settings, objective.counts
    classes = logits.shape[1]
    targets = shares(truth, classes).to(logits.dtype)
    targets = targets * (1 - settings.smoothing) + settings.smoothing / classes
    frequencies = (counts / counts.sum()).to(logits.dtype)
    alpha = 1 - frequencies if settings.weights == "balanced" else torch.full_like(frequencies, 0.5)
    return focal_bce(logits, targets, alpha, settings.gamma)


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Objective], Tensor]] = {
    "focal": _focal,
    "cross_entropy": _cross_entropy,
    "focal_bce": _focal_bce,
}
