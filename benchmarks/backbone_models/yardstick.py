"""What coarse floating-point numbers cost: where they cost much, a comparison with float says nothing."""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from backbone_models.zoo import tensors
from torch import nn

from mmer.calibration.judgement.check import centred_cosine
from mmer.edge.tensors import Tensors


def in_bfloat16(model: nn.Module, inputs: Sequence[Tensors]) -> float:
    """Return the least centred cosine of any output when weights and activations are rounded to bfloat16."""
    exact, coarse = _answers(model, inputs, torch.float32), _answers(deepcopy(model), inputs, torch.bfloat16)
    return min(centred_cosine(a, b) for a, b in zip(exact, coarse, strict=True))


def _answers(model: nn.Module, inputs: Sequence[Tensors], kind: torch.dtype) -> list[np.ndarray]:
    """Return every output as rows over all inputs."""
    model = model.to(kind)
    made = []
    with torch.inference_mode():
        for given in inputs:
            values = (v.to(kind) if v.is_floating_point() else v for v in tensors(given))
            found = model(*values)
            made.append(found if isinstance(found, tuple) else (found,))
    return [
        np.concatenate([v.float().numpy().reshape(-1, v.shape[-1]) for v in kind]) for kind in zip(*made, strict=True)
    ]
