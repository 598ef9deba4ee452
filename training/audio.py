"""From a waveform to a sequence: convolutions, confidence, a recurrent net, attention over time (docs/cafes.md 2)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmer.edge.inputs.constants import within
from mmer.training.attention import MultiHeadAttention
from mmer.training.batch import Encoded
from mmer.training.confidence import ConfidenceFilter
from mmer.training.masked import MaskedBatchNorm, steps_mask
from mmer.training.settings import divides

_KERNEL, _STRIDE, _POOL, _GROUPS = 160, 4, 4, 4

MIN_SAMPLES = _KERNEL + (_POOL**_GROUPS - 1) * _STRIDE
"""The shortest waveform that gives one step; shorter sound is followed by silence up to here."""


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Sizes of the audio branch."""

    channels: int = 18
    """Of the first convolution; the last has eight times as many."""
    max_steps: int = 81
    """What 83 426 samples give."""
    recurrent_layers: int = 4
    heads: int = 4
    width: int = 72
    """Of the sequence that comes out."""

    def __post_init__(self) -> None:
        within("audio.channels", self.channels, 1, 1024)
        within("audio.max_steps", self.max_steps, 1, 1 << 16)
        within("audio.recurrent_layers", self.recurrent_layers, 1, 64)
        within("audio.heads", self.heads, 1, 1024)
        within("audio.width", self.width, 1, 1 << 16)
        divides("audio.heads", self.heads, 8 * self.channels)


class ConvNorm(nn.Module):
    """Convolution, normalisation and LeakyReLU; padded steps come out as 0."""

    def __init__(self, conv: nn.Conv1d) -> None:
        super().__init__()
        self.conv = conv
        self.norm = MaskedBatchNorm(conv.out_channels)

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, C, S]` and lengths `[B]` as if each sample had been alone."""
        x = self.conv(x)
        if lengths is not None:
            reach = 2 * int(self.conv.padding[0]) - self.conv.kernel_size[0]
            lengths = (lengths + reach) // self.conv.stride[0] + 1
        x = self.norm(x, None if lengths is None else steps_mask(lengths, x.shape[2]))
        return nn.functional.leaky_relu(x), lengths


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
        self.pool = nn.MaxPool2d((1, _POOL))  # torch.export fixes the length that it sees in MaxPool1d
        self.width = 8 * n

    def forward(self, samples: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, S, C]` and a mask `[B, S]` for samples `[B, N]` and lengths `[B]`."""
        x = samples.unsqueeze(1)
        for group in self.groups:
            assert isinstance(group, nn.ModuleList)
            for layer in group:
                x, lengths = layer(x, lengths)
            x = self.pool(x.unsqueeze(2)).squeeze(2)
            if lengths is not None:  # a pool that reaches into the padding would not have been there
                lengths = lengths // _POOL
                x = x * steps_mask(lengths, x.shape[2]).unsqueeze(1)
        return x.transpose(1, 2), None if lengths is None else steps_mask(lengths, x.shape[2])


class Recurrent(nn.Module):
    """A bidirectional GRU whose backward pass starts at the last valid step."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, width // 2, layers, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return `[B, S, D]`, 0 on padded steps."""
        if mask is None:
            alone: Tensor = self.gru(x)[0]
            return alone
        if not len(x):  # a rank whose share has no sound: nothing to pack
            return x
        packed = pack_padded_sequence(x, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=x.shape[1])[0]


class TemporalAttention(nn.Module):
    """Self-attention over time; the second half reads the input again, and one norm serves both (docs/cafes.md 2)."""

    def __init__(self, width: int, heads: int, max_steps: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, max_steps, width) * 0.02)
        self.attention = MultiHeadAttention(width, heads)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return `[B, S, D]` for `[B, S, D]` with at most `max_steps` steps."""
        x = x + self.positions[:, : x.shape[1]]
        y = self.norm(x + self.attention(x, x, x, mask))
        out: Tensor = self.norm(y + self.feed(x))
        return out


class AudioEncoder(nn.Module):
    """The audio branch, of its parts."""

    def __init__(
        self,
        waveform: Waveform,
        confidence: ConfidenceFilter | None,
        recurrent: Recurrent,
        attention: TemporalAttention,
        project: nn.Linear,
    ) -> None:
        super().__init__()
        self.waveform = waveform
        self.confidence = confidence
        self.recurrent = recurrent
        self.attention = attention
        self.project = project

    def forward(self, samples: Tensor, mask: Tensor | None = None) -> Encoded:
        """Return the sequence of samples `[B, N]` and mask `[B, N]`, with `N` at least `MIN_SAMPLES`."""
        lengths = None if mask is None else mask.sum(1).clamp(min=MIN_SAMPLES)
        x, steps = self.waveform(samples if mask is None else samples.masked_fill(~mask, 0.0), lengths)
        confidence = None if self.confidence is None else self.confidence(x, steps)
        x = self.recurrent(x if confidence is None else x * confidence, steps)
        return Encoded(self.project(self.attention(x, steps)), steps, confidence)


def audio_encoder(settings: AudioSettings, confidence: ConfidenceFilter | None) -> AudioEncoder:
    """Return the branch of given sizes."""
    waveform = Waveform(settings.channels)
    width = waveform.width
    return AudioEncoder(
        waveform,
        confidence,
        Recurrent(width, settings.recurrent_layers),
        TemporalAttention(width, settings.heads, settings.max_steps),
        nn.Linear(width, settings.width),
    )
