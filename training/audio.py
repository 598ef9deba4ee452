"""From a waveform to a sequence: a front, confidence, a recurrent net, attention over time (docs/cafes.md 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmer.edge.errors import SettingError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.constants import among, within
from mmer.training.attention import MultiHeadAttention
from mmer.training.batch import Encoded
from mmer.training.confidence import ConfidenceFilter
from mmer.training.dropout import Dropout
from mmer.training.mel import Mel
from mmer.training.settings import divides
from mmer.training.spectrum import RATE_HZ
from mmer.training.summary import Summary
from mmer.training.waveform import MIN_SAMPLES, Waveform


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Sizes of the audio branch."""

    front: str = "waveform"
    """One of `FRONTS`."""
    bands: int = 64
    """For the front `mel`."""
    channels: int = 18
    """Of the first convolution of the front `waveform`; what any front gives has eight times as many."""
    dropout: float = 0.0
    """Of what the front gives."""
    summary: bool = False
    """Whether mean and deviation over the clip join every step of what comes out."""
    max_steps: int = 81
    """What 83 426 samples give in the front `waveform`; 10.4 s give 130 in the front `mel`."""
    recurrent_layers: int = 4
    heads: int = 4
    width: int = 72
    """Of the sequence that comes out."""

    def __post_init__(self) -> None:
        among("audio.front", self.front, FRONTS)
        within("audio.bands", self.bands, 8, 128)
        within("audio.channels", self.channels, 1, 1024)
        within("audio.dropout", self.dropout, 0.0, 0.9)
        within("audio.max_steps", self.max_steps, 1, 1 << 16)
        within("audio.recurrent_layers", self.recurrent_layers, 1, 64)
        within("audio.heads", self.heads, 1, 1024)
        within("audio.width", self.width, 1, 1 << 16)
        divides("audio.heads", self.heads, 8 * self.channels)


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
        waveform: Waveform | Mel,
        confidence: ConfidenceFilter | None,
        sequence: tuple[Recurrent, TemporalAttention, nn.Linear],
        summary: Summary | None = None,
        dropout: float = 0.0,
    ) -> None:
        """Take what reads the waveform, what may trust its steps, and what follows their order."""
        super().__init__()
        self.waveform = waveform
        self.confidence = confidence
        self.recurrent, self.attention, self.project = sequence
        self.summary = summary
        self.dropout = Dropout(dropout)

    def forward(self, samples: Tensor, mask: Tensor | None = None) -> Encoded:
        """Return the sequence of samples `[B, N]` and mask `[B, N]`, with `N` at least `MIN_SAMPLES`."""
        lengths = None if mask is None else mask.sum(1).clamp(min=MIN_SAMPLES)
        x, steps = self.waveform(samples if mask is None else samples.masked_fill(~mask, 0.0), lengths)
        confidence = None if self.confidence is None else self.confidence(x, steps)
        trusted = self.dropout(x if confidence is None else x * confidence)
        values = self.project(self.attention(self.recurrent(trusted, steps), steps))
        if self.summary is not None:
            values = values + self.summary(x, steps)
        return Encoded(values, steps, confidence)


FRONTS: Mapping[str, Callable[[AudioSettings], Waveform | Mel]] = {
    "waveform": lambda settings: Waveform(settings.channels),
    "mel": lambda settings: Mel(settings.channels, settings.bands),
}
"""What reads the samples: the published convolutions, or a mel spectrum with pitch."""


def audio_encoder(settings: AudioSettings, confidence: ConfidenceFilter | None) -> AudioEncoder:
    """Return the branch of given sizes."""
    waveform = FRONTS[settings.front](settings)
    width = waveform.width
    sequence = (
        Recurrent(width, settings.recurrent_layers),
        TemporalAttention(width, settings.heads, settings.max_steps),
        nn.Linear(width, settings.width),
    )
    summary = Summary(width, settings.width, settings.dropout) if settings.summary else None
    return AudioEncoder(waveform, confidence, sequence, summary, settings.dropout)


def refuse_unheard(settings: AudioSettings, audio: AudioInput) -> None:
    """Raise `SettingError` when a front would hear at another pitch, or more steps than there is room for."""
    if settings.front == "mel" and audio.rate_hz != RATE_HZ:
        raise SettingError(
            f"audio.front mel reads {RATE_HZ} Hz, and this preset hears {audio.rate_hz} Hz; leave --model-set "
            "audio.front=mel out, or take --preset small"
        )
    steps = _steps(settings, audio.max_samples)
    if steps > settings.max_steps:
        raise SettingError(
            f"audio.max_steps is {settings.max_steps}, and the longest sound, {audio.max_samples} samples, has {steps} "
            f"steps; add --model-set audio.max_steps={steps}"
        )


@torch.no_grad()
def _steps(settings: AudioSettings, samples: int) -> int:
    """Return how many steps a front makes of so many samples, by shapes alone."""
    with torch.device("meta"):
        front = FRONTS[settings.front](settings).eval()
        return int(front(torch.empty(1, max(samples, MIN_SAMPLES)), None)[0].shape[1])
