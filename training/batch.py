"""What flows through a model: a batch in, an encoded sequence between the parts, an output out."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

MODALITIES = ("video", "audio", "text")
"""The order of every `[B, 3]` tensor."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded inputs; every mask is True on a leading run of real values and False on the padding behind."""

    frames: Tensor
    """Normalised face crops `[B, T, 3, 48, 48]`."""
    frames_mask: Tensor
    """`[B, T]`."""
    samples: Tensor
    """Waveform `[B, N]`."""
    samples_mask: Tensor
    """`[B, N]`."""
    ids: Tensor
    """Token ids `[B, L]`, int64."""
    ids_mask: Tensor
    """`[B, L]`."""
    present: Tensor
    """`[B, 3]` bool in the order of `MODALITIES`; what stands in the tensors of an absent one is never read."""

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on another device."""
        return Batch(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})

    def pinned(self) -> "Batch":
        """Return the batch in memory that a GPU can fetch it from by itself."""
        return Batch(**{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})

    def rows(self, chosen: slice) -> "Batch":
        """Return some of the samples, padded as they are."""
        return Batch(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


class Encoded(NamedTuple):
    """What a modality's encoder returns."""

    values: Tensor
    """`[B, T, D]`."""
    mask: Tensor | None
    """`[B, T]`; `None` when all steps are valid."""
    confidence: Tensor | None
    """`[B, T, C]` within 0..1, `C` being 1 where it holds for all channels; `None` without a confidence filter."""


class Confidence(NamedTuple):
    """How far each step was trusted."""

    values: Tensor
    """`[B, T, C]` within 0..1, `C` being 1 where it holds for all channels."""
    mask: Tensor
    """`[B, T]`."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a model says about a batch of `B` samples and `K` classes."""

    logits: Tensor
    """`[B, K]`."""
    confidence: Mapping[str, Confidence]
    """By modality; a modality that is absent from the whole batch, or not filtered, is not in it."""
    weights: Tensor
    """Share of each modality in the logits, `[B, 3]`: present ones sum to 1, absent ones are 0."""
