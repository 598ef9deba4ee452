"""Half precision by changing the type of everything, as a device computes it that has it."""

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
    half = deepcopy(module).half()
    starts = range(0, len(stills.classes), _TOGETHER)
    with torch.inference_mode():
        made = [half(torch.from_numpy(stills.inputs(slice(at, at + _TOGETHER))).half()) for at in starts]
    return torch.cat(made).float().numpy()
