"""What a voice is made of, frame by frame: a mel spectrum and its pitch, in convolutions with fixed kernels."""

import math
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmer.training.masked import steps_mask

Doubles = NDArray[np.float64]

RATE_HZ: Final = 16_000
FRAME, HOP = 640, 320
"""40 and 20 ms: two periods of a low voice, and as much arithmetic as a small device has to spare."""
PITCH: Final = 3
"""How many channels tell of pitch."""

_RANGE_HZ = (50.0, 7_600.0)
_PITCH_HZ = (75.0, 500.0)
_LAGS = 64
_FLOOR = 1e-3
"""Added to the power of a band, where the mean over all sound is about 1: room noise should not count as speech."""
_QUIET = 3e-3
"""Share of the clip's mean power that counts half: pauses should not tell what a voice is like."""
_SHARP = 60.0
"""Weighs the lags, of which the likeliest should win."""
_OCTAVE = 0.05
"""What is as periodic at twice its lag has the shorter one (Boersma 1993 takes 0.01, and the best lag alone)."""
_VOICED = 0.45
_SCALE = 0.5
"""Brings the logarithms to a deviation of about 1."""


class Voice(nn.Module):
    """Level in mel bands against their own mean over what is loud, how periodic each frame is, and at which pitch.

    Nothing in it is learned. The mean of a band over a clip belongs to the room, the microphone and the speaker.
    """

    kernels: Tensor
    bank: Tensor
    cosines: Tensor
    heights: Tensor
    costs: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        heights = np.linspace(1, -1, _LAGS)[:, None]
        fixed = {"kernels": _kernels(), "bank": mel_bank(bands), "cosines": _cosines(), "heights": heights}
        fixed["costs"] = _OCTAVE / 2 * math.log2(_PITCH_HZ[1] / _PITCH_HZ[0]) * heights
        for name, values in fixed.items():
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32), persistent=False)
        self.channels = bands + PITCH

    def forward(self, samples: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, C, S]` and lengths `[B]` for samples `[B, N]` at `RATE_HZ`; padded steps come out as 0."""
        waves = nn.functional.conv1d(samples.unsqueeze(1), self.kernels, stride=HOP, padding=FRAME // 2)
        real, imaginary = waves.chunk(2, 1)
        power = real * real + imaginary * imaginary
        lengths = None if lengths is None else lengths // HOP + 1
        valid = None if lengths is None else steps_mask(lengths, power.shape[2]).unsqueeze(1)
        found = torch.cat([self._levels(power, valid), self._pitch(power)], 1)
        return found if valid is None else found * valid, lengths

    def _levels(self, power: Tensor, valid: Tensor | None) -> Tensor:
        bands = self.bank @ power + _FLOOR
        level, levels = bands.mean(1, keepdim=True), bands.log()
        if valid is not None:
            level = level * valid
        loud = level / (level + _QUIET * _mean(level, valid))
        return _SCALE * (levels - (levels * loud).sum(2, keepdim=True) / loud.sum(2, keepdim=True))

    def _pitch(self, power: Tensor) -> Tensor:
        """Return how periodic a frame is and its pitch, firmly and less firmly voiced, by its autocorrelation."""
        likeness = (self.cosines @ power) / (power.sum(1, keepdim=True) + _FLOOR)
        voicing = likeness.amax(1, keepdim=True).clamp(0.0, 1.0)
        shares = (_SHARP * (likeness + self.costs)).softmax(1)
        pitch = 2 * (shares * self.heights).sum(1, keepdim=True)
        return torch.cat([2 * voicing - 1, voicing * pitch, (20 * (voicing - _VOICED)).sigmoid() * pitch], 1)


def _mean(x: Tensor, valid: Tensor | None) -> Tensor:
    """Return the mean over the valid frames, where the others are 0."""
    return x.mean(2, keepdim=True) if valid is None else x.sum(2, keepdim=True) / valid.sum(2, keepdim=True)


def mel_bank(bands: int) -> Doubles:
    """Return triangles over the spectrum, `[M, K]`, even on the mel scale, each with an area of 1."""
    low, high = 2595 * np.log10(1 + np.array(_RANGE_HZ) / 700)
    mels = np.linspace(low, high, bands + 2)
    corners = 700 * (10 ** (mels / 2595) - 1)
    rising = (_hz() - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - _hz()) / (corners[2:] - corners[1:-1])[:, None]
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    bank: Doubles = triangles / triangles.sum(1, keepdims=True)
    return bank


def _kernels() -> Doubles:
    """Return a cosine and a sine for each frequency, under a window, `[2 K, 1, FRAME]`; noise of 1 has a power of 1."""
    turns = 2 * np.pi * np.arange(len(_hz()))[:, None] * np.arange(FRAME) / FRAME
    return (np.concatenate([np.cos(turns), np.sin(turns)]) * _window() / math.sqrt(FRAME / 4))[:, None]


def _window() -> Doubles:
    hann: Doubles = np.sin(np.pi * np.arange(FRAME) / FRAME) ** 2
    return hann


def _cosines() -> Doubles:
    """Return what makes an autocorrelation of power, `[L, K]`, at lags that are even for the ear.

    It is divided by that of the window, without which a low voice would pass for a breathy one (Boersma 1993).
    """
    lags = np.geomspace(RATE_HZ / _PITCH_HZ[1], RATE_HZ / _PITCH_HZ[0], _LAGS)
    window = _window()
    places = np.arange(FRAME)
    own = [np.sum(window * np.interp(places + lag, places, window, right=0.0)) for lag in lags]
    return np.cos(2 * np.pi * lags[:, None] * _hz() / RATE_HZ) / (np.array(own) / np.sum(window**2))[:, None]


def _hz() -> Doubles:
    """Return the frequencies of the spectrum as far as they are used, `[K]`."""
    every = np.arange(FRAME // 2 + 1) * RATE_HZ / FRAME
    return every[every <= _RANGE_HZ[1]]
