"""What is true of a sample: the index of its class `[B]`, or the share of each class in it `[B, K]`."""

from torch import Tensor
from torch.nn import functional


def shares(truth: Tensor, classes: int) -> Tensor:
    """Return the share of each class, `[B, K]`."""
    return functional.one_hot(truth, classes) if truth.ndim == 1 else truth


def weight(alpha: Tensor, truth: Tensor) -> Tensor:
    """Return what each sample weighs `[B]` when its classes weigh `alpha` `[K]`."""
    return alpha[truth] if truth.ndim == 1 else truth @ alpha


def error(logits: Tensor, truth: Tensor) -> Tensor:
    """Return how far the likeliest class is not the truth, `[B]` within 0..1."""
    likeliest = logits.argmax(1)
    return likeliest != truth if truth.ndim == 1 else 1 - truth.gather(1, likeliest.unsqueeze(1)).squeeze(1)
