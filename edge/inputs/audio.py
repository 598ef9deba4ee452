"""From mono sound to the waveform that an audio encoder reads, and soxr HQ, the only resampler.

At 48 to 8 kHz swr's default leaves a 4.5 kHz tone at -60 dB, soxr HQ at -153 dB.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from mmer.edge.errors import DataError
from mmer.edge.inputs.constants import among, within
from mmer.edge.inputs.padded import Padded, padded

Samples: TypeAlias = NDArray[np.float32]
Wide: TypeAlias = NDArray[np.float64]

RATES_HZ = (1_000, 768_000)
"""A rate beyond these is a broken header, and would ask for absurd amounts of memory."""

_LOUDEST = 16.0  # 24 dB over full scale: decoders overshoot by a few dB, only broken float files go beyond


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Return mono samples `[N]` at another rate, always finite: NaN becomes 0.

    Raises `DataError` for sound that is not mono or has an impossible rate.
    """
    _check(from_hz, to_hz)
    clean = _finite(samples)
    return clean if from_hz == to_hz else np.asarray(soxr.resample(clean, from_hz, to_hz, quality="HQ"), np.float32)


class Resampler:
    """`resample` for sound that arrives in pieces: what it returns, joined, equals `resample` of the whole."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        _check(from_hz, to_hz)
        self._stream = None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, np.float32, quality="HQ")

    def push(self, samples: Samples) -> Samples:
        """Take the next samples and return those that are ready, at times none."""
        clean = _finite(samples)
        return clean if self._stream is None else np.asarray(self._stream.resample_chunk(clean), np.float32)

    def flush(self) -> Samples:
        """Return what is still inside; the last call."""
        nothing = np.zeros(0, np.float32)
        if self._stream is None:
            return nothing
        return np.asarray(self._stream.resample_chunk(nothing, last=True), np.float32)


def _check(*rates_hz: int) -> None:
    low, high = RATES_HZ
    if odd := [rate for rate in rates_hz if not low <= rate <= high]:
        raise DataError(f"sound cannot be resampled at {odd[0]} Hz, only within {low}..{high} Hz; re-encode it")


def _finite(samples: Samples) -> Samples:
    if samples.ndim != 1:
        raise DataError(f"sound has the shape {samples.shape}, mono is needed; mix the channels first")
    return np.asarray(np.clip(np.nan_to_num(samples, nan=0.0), -_LOUDEST, _LOUDEST), np.float32)


def _unchanged(samples: Wide, _: float) -> Wide:
    return samples


def _peak(samples: Wide, eps: float) -> Wide:
    return samples / math.sqrt(np.square(samples).max() + eps)


def _rms(samples: Wide, eps: float) -> Wide:
    return samples / math.sqrt(np.square(samples).mean() + eps)


def _layernorm(samples: Wide, eps: float) -> Wide:
    return _rms(samples - samples.mean(), eps)


LEVELS: Mapping[str, Callable[[Wide, float], Wide]] = {
    "none": _unchanged,
    "peak": _peak,
    "rms": _rms,
    "layernorm": _layernorm,
}
"""Ways to level sound: to a peak of 1, a mean square of 1, or zero mean and unit variance."""

PADS = ("right", "left")


@dataclass(frozen=True, slots=True)
class AudioInput:
    """How sound is heard. The defaults are those of `cafes` and `bixlstm`."""

    rate_hz: int = 8_000
    max_samples: int = 83_426
    """Later samples are cut off."""
    step_samples: int = 0
    """Sound is padded to the next multiple of this, so that a short window costs less; 0 pads to `max_samples`."""
    pad: str = "right"
    """The side where the zeros go, one of `PADS`."""
    level: str = "none"
    """One of `LEVELS`, measured on the whole sound before it is cut or padded."""
    eps: float = 1e-7
    """Added to the power that the level divides by: what is below stays quiet, silence stays zero.

    1e-7 (-70 dB) is Wav2Vec2's; torch's layer_norm has 1e-5, which holds down quiet speech.
    """

    def __post_init__(self) -> None:
        within("rate_hz", self.rate_hz, *RATES_HZ)
        within("max_samples", self.max_samples, 1, 1 << 24)
        within("step_samples", self.step_samples, 0, self.max_samples)
        within("eps", self.eps, 1e-12, 1.0)
        among("pad", self.pad, PADS)
        among("level", self.level, LEVELS)

    def arrays(self, samples: Samples, rate_hz: int) -> Padded[np.float32] | None:
        """Return waveform and mask `[N]` of mono samples at the given rate, or `None` without any sample."""
        heard = resample(samples, rate_hz, self.rate_hz)
        if not len(heard):
            return None
        level = LEVELS[self.level](heard.astype(np.float64), self.eps)
        kept = level[: self.max_samples].astype(np.float32)
        step = self.step_samples or self.max_samples
        length = min(math.ceil(len(kept) / step) * step, self.max_samples)
        return padded(kept, length, 0 if self.pad == "right" else length - len(kept))
