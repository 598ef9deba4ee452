"""What a room, a codec or a moment's loss does to a sound."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sound: TypeAlias = NDArray[np.float32]

_DECAY = np.log(1000)
"""An echo is over when it has fallen by 60 dB (ISO 3382)."""
_MASKS = 2
"""Of each kind, as SpecAugment has them (Park et al. 2019)."""


def echoed(samples: Sound, longest_s: float, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Return the sound in a room: noise that decays follows each sample, up to as loud as the sound itself."""
    length = max(2, round(longest_s * rng.uniform(0.1, 1) * rate_hz))
    tail = rng.standard_normal(length, np.float32) * np.exp(-_DECAY * np.linspace(0, 1, length, dtype=np.float32))
    tail *= rng.random() / np.linalg.norm(tail)
    tail[0] = 1.0
    size = _fast(len(samples) + length)
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return wet[: len(samples)].astype(np.float32)


def muffled(samples: Sound, share: float, _rate_hz: int, rng: np.random.Generator) -> Sound:
    """Return the sound without its highest frequencies, at most this share of them, as narrow codecs leave it."""
    spectrum = np.fft.rfft(samples, _fast(len(samples)))
    spectrum[round(len(spectrum) * (1 - share * rng.random())) :] = 0
    return np.fft.irfft(spectrum)[: len(samples)].astype(np.float32)


def coarse(samples: Sound, share: float, _rate_hz: int, rng: np.random.Generator) -> Sound:
    """Return the sound in steps of its square root, at most this share of the peak: few bits, as telephony has."""
    peak = float(np.abs(samples).max())
    step = share * rng.random()
    if not peak or not step:
        return samples
    roots = np.sign(samples) * np.sqrt(np.abs(samples) / peak)
    steps = np.round(roots / step) * step
    return np.asarray(np.sign(steps) * np.square(steps) * peak, np.float32)


def interrupted(samples: Sound, longest_s: float, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Return the sound with gaps of silence."""
    gapped: Sound = samples.copy()
    for _ in range(_MASKS):
        length = min(round(longest_s * rate_hz * rng.random()), len(samples))
        first = int(rng.integers(len(samples) - length + 1))
        gapped[first : first + length] = 0
    return gapped


def notched(samples: Sound, share: float, _rate_hz: int, rng: np.random.Generator) -> Sound:
    """Return the sound without bands of its spectrum, each at most this share of an octave scale over it."""
    spectrum = np.fft.rfft(samples, _fast(len(samples)))
    for _ in range(_MASKS):
        width = share * rng.random()
        low = rng.random() * (1 - width)
        first, last = (round(_mel_place(place) * len(spectrum)) for place in (low, low + width))
        spectrum[first:last] = 0
    return np.fft.irfft(spectrum)[: len(samples)].astype(np.float32)


def _fast(length: int) -> int:
    """Return a length of small factors that is no less; a transform of a prime length takes ten times as long."""
    return -(-length // 2400) * 2400


def _mel_place(share: float) -> float:
    """Return which share of the spectrum lies below a share of a scale that is even for the ear."""
    return float(np.expm1(share * np.log1p(_CURVE)) / _CURVE)


_CURVE: Final = 11.4
"""The mel scale's 700 Hz in 8 kHz."""

EFFECTS: Final[Mapping[str, Callable[[Sound, float, int, np.random.Generator], Sound]]] = {
    "echo_s": echoed,
    "muffle": muffled,
    "coarse": coarse,
    "gap_s": interrupted,
    "notch": notched,
}
"""By the name of the limit in `SoundChanges`, in the order in which they happen; a limit of 0 draws nothing."""
