"""What training minimises (docs/cafes.md 7)."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from mmer.training.batch import Confidence

FILTERED = ("video", "audio")
"""The modalities whose confidence is aligned."""


def balanced_alpha(counts: Tensor) -> Tensor:
    """Return the weight `N / (K * n)` of each class from its count `[K]`; a class without a sample counts as one."""
    return counts.sum() / (len(counts) * counts.clamp(min=1))


def focal(logits: Tensor, labels: Tensor, alpha: Tensor, gamma: float = 2.0, smoothing: float = 0.0) -> Tensor:
    """Return the focal loss of logits `[B, K]`, class indices `[B]` and class weights `[K]`.

    `smoothing` is the share of the truth that is spread over all classes.
    """
    entropy = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    return (alpha[labels] * (1 - (-entropy).exp()) ** gamma * entropy).mean()


def balanced_softmax(logits: Tensor, labels: Tensor, counts: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of logits `[B, K]` to which training adds how usual each class is, by counts `[K]`.

    What the logits then say by themselves is fair to all classes (Ren et al. 2020), and a rare sample weighs no more
    than another, which would be learned by heart.
    """
    usual = (counts.clamp(min=1) / counts.sum()).log().to(logits.dtype)
    return functional.cross_entropy(logits + usual, labels, label_smoothing=smoothing)


def focal_bce(logits: Tensor, targets: Tensor, alpha: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the focal loss of logits and several labels `[B, K]` of 0 or 1; `alpha` `[K]` weighs the ones."""
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    side = alpha * targets + (1 - alpha) * (1 - targets)
    return (side * (1 - (-entropy).exp()) ** gamma * entropy).mean()


def alignment(confidence: Confidence, wrong: Tensor) -> Tensor:
    """Return the correlation of confidence and error, positive for confident mistakes; `wrong` is `[B]` of 0 or 1.

    Both are standardised over the valid steps of the batch, where the published code counts padding too.
    """
    trusted = confidence.values[confidence.mask]
    if trusted.numel() < 2:
        return trusted.sum() * 0
    erred = wrong.to(trusted.dtype).unsqueeze(1).expand(confidence.mask.shape)[confidence.mask]
    return (_standard(trusted) * _standard(erred.unsqueeze(1).expand_as(trusted))).mean()


def mean_alignment(confidences: Iterable[Confidence], wrong: Tensor) -> Tensor:
    """Return the mean alignment over the filtered modalities; an absent one adds 0."""
    parts = [alignment(confidence, wrong) for confidence in confidences]
    return torch.stack(parts).sum() / len(FILTERED) if parts else torch.zeros((), device=wrong.device)


def _standard(x: Tensor) -> Tensor:
    return (x - x.mean()) / (x.std() + 1e-6)
