"""A front that is given what a voice is made of, and learns what to do with it."""

from itertools import pairwise

from torch import Tensor, nn

from mmer.training.convolution import ConvNorm, Pool
from mmer.training.masked import steps_mask
from mmer.training.spectrum import Voice

_KERNEL, _POOL = 5, 2


class Mel(nn.Module):
    """Three convolutions over the frames of a `Voice`; the first two end in a pool."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.voice = Voice(bands)
        self.width = 8 * channels
        widths = (self.voice.channels, self.width, self.width, self.width)
        self.layers = nn.ModuleList(
            ConvNorm(nn.Conv1d(*pair, _KERNEL, padding=_KERNEL // 2)) for pair in pairwise(widths)
        )
        self.pool = Pool(_POOL)

    def forward(self, samples: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, S, C]` and a mask `[B, S]` for samples `[B, N]` and lengths `[B]`."""
        x, lengths = self.voice(samples, lengths)
        for number, layer in enumerate(self.layers):
            x, lengths = layer(x, lengths)
            if number < len(self.layers) - 1:
                x, lengths = self.pool(x, lengths)
        return x.transpose(1, 2), None if lengths is None else steps_mask(lengths, x.shape[2])
