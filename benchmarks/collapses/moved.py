"""Networks that compute the same in float, with what a scale has to span made wider by hand.

Nothing of this was trained: it shows the mechanism alone, where training did not come to it.
"""

from copy import deepcopy
from itertools import pairwise

import torch
from collapses.vit import Vit
from torch import nn

LIFT = 512.0
"""A power of two, so that float32 loses ten of its 24 binary places and no more."""
OCTAVES = 4


def lifted(network: nn.Module, by: float = LIFT) -> nn.Module:
    """Return a network with a number added to every channel of the residual stream, which each layer norm takes away.

    The mean over channels is the one thing in the stream that no layer reads.
    """
    copy = deepcopy(network)
    assert isinstance(copy, Vit)
    with torch.no_grad():
        copy.places += by
    return copy


def unbalanced(network: nn.Module, octaves: int = OCTAVES) -> nn.Module:
    """Return a fused network whose channels are up to so many octaves larger or smaller between convolutions.

    What one convolution writes larger the next one reads smaller, by powers of two: every float is the same but for
    its exponent (the freedom that Nagel et al. 2019 use the other way round).
    """
    copy = deepcopy(network)
    rng = torch.Generator().manual_seed(0)
    convolutions = [module for module in copy.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        for writer, reader in pairwise(convolutions):
            assert writer.bias is not None
            steps = torch.randint(-octaves, octaves + 1, (writer.out_channels,), generator=rng)
            factor = 2.0**steps
            writer.weight *= factor[:, None, None, None]
            writer.bias *= factor
            reader.weight /= factor[:, None, None]
    return copy
