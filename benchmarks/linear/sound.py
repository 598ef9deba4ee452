"""What can be measured of a voice by hand: loudness, spectrum, cepstrum and pitch, summed up over a clip."""

from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct, irfft, rfft

from mmer.edge.media.clip import Clip

Doubles = NDArray[np.float64]

RATE_HZ = 16_000
FRAME, HOP = 640, 160  # 40 and 10 ms: long enough for two periods of a low voice
MELS, CEPSTRA = 40, 20
PITCH_HZ = (60, 500)
QUIET_DB = 40
"""A frame so far below the loudest one is a pause."""
MARKS = (5, 25, 50, 75, 95)
"""Percentiles."""


def sound_features(path: Path) -> Doubles:
    """Return the features of a recording's sound, `[D]`; zeros of a second stand in for no sound."""
    sound = Clip.open(path).sound(RATE_HZ)
    samples = np.zeros(RATE_HZ) if sound is None else sound.samples.astype(np.float64)
    return summed_up(np.pad(samples, (0, max(0, FRAME - len(samples)))))


def summed_up(samples: Doubles) -> Doubles:
    """Return statistics over the frames of mono sound at `RATE_HZ`, `[D]`."""
    frames = sliding_window_view(samples, FRAME)[::HOP]
    power = np.abs(rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    level_db = 10 * np.log10(power.sum(axis=1) + 1e-9)
    loud = level_db > level_db.max() - QUIET_DB
    mel = np.log(power @ _mel_bank().T + 1e-9)
    cepstra = dct(mel, norm="ortho", axis=1)[:, :CEPSTRA]
    pitch, voicing = _pitch(frames)
    voiced = loud & (voicing > 0.4)
    each = np.column_stack([mel - mel[loud].mean(), cepstra, level_db, voicing])
    return np.concatenate(
        [
            _statistics(each[loud]),
            _statistics(np.gradient(each, axis=0)[loud] if len(each) > 1 else each[loud]),
            _range(np.log(pitch[voiced]) if voiced.any() else np.zeros(1)),
            [voiced.mean(), loud.mean(), loud.sum() * HOP / RATE_HZ],
        ]
    )


def _statistics(values: Doubles) -> Doubles:
    """Return mean and deviation of every column of `[N, D]`."""
    return np.concatenate([values.mean(axis=0), values.std(axis=0)])


def _range(values: Doubles) -> Doubles:
    """Return mean, deviation and percentiles of `[N]`."""
    return np.array([values.mean(), values.std(), *np.percentile(values, MARKS)])


def _pitch(frames: Doubles) -> tuple[Doubles, Doubles]:
    """Return Hz and how periodic each frame is, 0..1, by the peak of its autocorrelation."""
    spectrum = rfft(frames - frames.mean(axis=1, keepdims=True), n=2 * FRAME, axis=1)
    likeness = irfft(np.abs(spectrum) ** 2, axis=1)
    low, high = RATE_HZ // PITCH_HZ[1], RATE_HZ // PITCH_HZ[0]
    lag = likeness[:, low:high].argmax(axis=1) + low
    return RATE_HZ / lag, likeness[np.arange(len(frames)), lag] / (likeness[:, 0] + 1e-9)


def _mel_bank() -> Doubles:
    """Return triangles over the spectrum, `[MELS, FRAME / 2 + 1]`, even on the mel scale of 50 Hz to 7.6 kHz."""
    mels = np.linspace(*(2595 * np.log10(1 + np.array([50, 7600]) / 700)), MELS + 2)
    corners = 700 * (10 ** (mels / 2595) - 1)
    hz = np.linspace(0, RATE_HZ / 2, FRAME // 2 + 1)
    rising = (hz - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - hz) / (corners[2:] - corners[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None)
