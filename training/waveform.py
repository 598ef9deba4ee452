"""From a waveform to a sequence: convolutions that learn what to listen for (docs/cafes.md 2)."""

from torch import Tensor, nn

from mmer.training.convolution import ConvNorm, Pool
from mmer.training.masked import steps_mask

_KERNEL, _STRIDE, _POOL, _GROUPS = 160, 4, 4, 4

MIN_SAMPLES = _KERNEL + (_POOL**_GROUPS - 1) * _STRIDE
"""The shortest waveform that gives one step; shorter sound is followed by silence up to here."""


class Waveform(nn.Module):
    """Nine convolutions in four groups, each of which ends in a pool."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        n = channels
        groups = [[nn.Conv1d(1, n, _KERNEL, _STRIDE)]]
        for width in (n, 2 * n, 4 * n):
            wide = 2 * width
            groups.append([nn.Conv1d(width, wide, 3, padding=1), nn.Conv1d(wide, wide, 3, padding=1)])
        self.groups = nn.ModuleList(nn.ModuleList(ConvNorm(conv) for conv in group) for group in groups)
        self.pool = Pool(_POOL)
        self.width = 8 * n

    def forward(self, samples: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, S, C]` and a mask `[B, S]` for samples `[B, N]` and lengths `[B]`."""
        x = samples.unsqueeze(1)
        for group in self.groups:
            assert isinstance(group, nn.ModuleList)
            for layer in group:
                x, lengths = layer(x, lengths)
            x, lengths = self.pool(x, lengths)
        return x.transpose(1, 2), None if lengths is None else steps_mask(lengths, x.shape[2])
