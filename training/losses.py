"""What training minimises (docs/cafes.md 7)."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from mmer.training.batch import Confidence
from mmer.training.truth import weight

FILTERED = ("video", "audio")
"""The modalities whose confidence is aligned."""


def balanced_alpha(counts: Tensor) -> Tensor:
    """Return the weight `N / (K * n)` of each class from its count `[K]`; a class without a sample counts as one."""
    return counts.sum() / (len(counts) * counts.clamp(min=1))


def focal(logits: Tensor, truth: Tensor, alpha: Tensor, gamma: float = 2.0, smoothing: float = 0.0) -> Tensor:
    """Return the focal loss of logits `[B, K]`, class indices `[B]` or shares `[B, K]`, and class weights `[K]`.

    `smoothing` is the share of the truth that is spread over all classes. A mixed sample is focused as a whole, by its
    cross-entropy: that is least where the answer is the mixture, which a mixture of two focal losses is not.
    """
    entropy = functional.cross_entropy(logits, truth, reduction="none", label_smoothing=smoothing)
    return (weight(alpha, truth) * (1 - (-entropy).exp()) ** gamma * entropy).mean()


def focal_bce(logits: Tensor, targets: Tensor, alpha: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the focal loss of logits and several labels `[B, K]` within 0..1; `alpha` `[K]` weighs the ones."""
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    side = alpha * targets + (1 - alpha) * (1 - targets)
    return (side * (1 - (-entropy).exp()) ** gamma * entropy).mean()


def alignment(confidence: Confidence, wrong: Tensor) -> Tensor:
    """Return the correlation of confidence and error, positive for confident mistakes; `wrong` is `[B]` within 0..1.

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
