"""Gradient checkpointing: what parts of a model gave is computed again when gradients need it, and not kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from mmer.training.model import EmotionModel


@contextmanager
def recomputed(model: EmotionModel, *, wanted: bool) -> Iterator[None]:
    """Let the segments of a model pass a second time for their gradients, which are the same as without."""
    parts = model.segments() if wanted else ()
    for part in parts:
        part.__dict__["forward"] = _twice(part)
    try:
        yield
    finally:
        for part in parts:
            del part.__dict__["forward"]


def _twice(part: nn.Module) -> Callable[..., object]:
    once = part.forward

    def forward(*args: object, **options: object) -> object:
        if not torch.is_grad_enabled():
            return once(*args, **options)
        again = partial(once, **options)
        return checkpoint(again, *args, use_reentrant=False, context_fn=lambda: (nullcontext(), _unremembered(part)))

    return forward


@contextmanager
def _unremembered(part: nn.Module) -> Iterator[None]:
    """Leave running statistics alone: they have counted this batch already."""
    norms = [module for module in part.modules() if isinstance(module, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches
