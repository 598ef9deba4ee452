"""Half precision by changing the type of everything, as a device computes it that has it."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from collapses.stills import Stills
from numpy.typing import NDArray
from torch import nn

_TOGETHER = 256


def halved_logits(module: nn.Module, stills: Stills) -> NDArray[np.float32]:
    """Return what a network says whose weights and values are all half precision, `[N, K]`.

    Not by ONNX Runtime: on a processor it puts single precision in place of half and leaves the rounding out between
    operators, so that nothing overflows.
    """
    return answered(deepcopy(module).half(), lambda still: torch.from_numpy(still).half(), stills)


def answered(
    module: nn.Module, given: Callable[[NDArray[np.float32]], torch.Tensor], stills: Stills
) -> NDArray[np.float32]:
    """Return what a network says, `[N, K]`."""
    count = len(stills.classes)
    with torch.inference_mode():
        made = [module(given(stills.inputs(slice(at, at + _TOGETHER)))) for at in range(0, count, _TOGETHER)]
    return torch.cat(made).float().numpy()
