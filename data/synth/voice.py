"""A source-filter synthesiser: glottal pulses and noise through moving formants."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.data.synth.arrays import Doubles, Floats
from mmer.data.synth.emotion import Prosody
from mmer.data.synth.phones import Utterance
from mmer.data.synth.speaker import Voice

RATE_HZ = 16000
HOP = 128
"""Samples between two settings of the filters, 8 ms."""
BINS = 512
BANDWIDTHS_HZ = (70.0, 100.0, 150.0, 250.0)
FOURTH_HZ = 3500.0
"""The fourth formant, which hardly moves in speech."""
NOISE_BAND_HZ = 900.0
SLOPE_DB = 3.0
"""Per octave: in place of the formants above the fourth, which lift the high end of a real tract."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Who says it and how."""

    voice: Voice
    prosody: Prosody
    hiss_db: float
    """Level of the room's noise below the speech."""


def speak(utterance: Utterance, delivery: Delivery, length_s: float, rng: np.random.Generator) -> Floats:
    """Return the spoken utterance, `[N]` samples at 16 kHz within -1 to 1."""
    samples = round(length_s * RATE_HZ)
    times = np.arange(samples // HOP + 2) * HOP / RATE_HZ
    pitch = _pitch_hz(utterance, delivery, times, rng)
    breath = np.clip(delivery.voice.breath + delivery.prosody.breath, 0, 1)
    noise = rng.standard_normal(len(times) * HOP)
    voiced = _pulses(pitch) + 0.25 * breath * noise
    speech = _filtered(
        voiced * _spread(_envelope(utterance, [p.voiced for p in utterance.phones], times)),
        _tract(utterance, delivery, times),
    )
    friction = noise * _spread(_envelope(utterance, [p.noise for p in utterance.phones], times))
    speech /= max(float(np.sqrt(np.mean(speech**2))), 1e-9)
    speech += 0.5 * _filtered(friction, _bands(utterance, times))
    return _levelled(speech[:samples], delivery, times, rng)


def _levelled(speech: Doubles, delivery: Delivery, times: Doubles, rng: np.random.Generator) -> Floats:
    """Bring the speech to its level, add the room and keep loud peaks from clipping hard."""
    tremor = 1 + 0.3 * np.clip(delivery.prosody.tremor, 0, 1) * np.sin(2 * np.pi * 6.3 * times)
    level = 10 ** ((delivery.voice.level_db + delivery.prosody.level_db) / 20)
    room = rng.standard_normal(len(speech)) * 10 ** ((delivery.voice.level_db - delivery.hiss_db) / 20)
    return np.tanh(speech * level * _spread(tremor)[: len(speech)] + room).astype(np.float32)


def _pitch_hz(utterance: Utterance, delivery: Delivery, times: Doubles, rng: np.random.Generator) -> Doubles:
    """Return the melody: accents on a falling line, the class's ending, tremor and jitter."""
    voice, prosody = delivery.voice, delivery.prosody
    begin, end = utterance.edges_s[0], utterance.edges_s[-1]
    place = np.clip((times - begin) / (end - begin), 0, 1)
    count = max(8, len(utterance.phones) // 5)
    knots = 0.4 + rng.uniform(-1, 1, count) * np.where(np.arange(count) % 2, 1, 0.4)
    accents = voice.range_st * 2**prosody.range * _smooth(np.interp(place, np.linspace(0, 1, count), knots), 9)
    ending = prosody.final_st * np.clip((place - 0.7) / 0.3, 0, 1)
    tremor = 0.7 * np.clip(prosody.tremor, 0, 1) * np.sin(2 * np.pi * 6.3 * times)
    jitter = 0.2 * _smooth(rng.standard_normal(len(times)), 3)
    semitones = prosody.pitch_st + accents + 1.5 * (0.5 - place) + ending + tremor + jitter
    return np.asarray(np.clip(voice.pitch_hz * 2 ** (semitones / 12), 60, 500))


def _pulses(pitch_hz: Doubles) -> Doubles:
    """Return the derivative of the glottal flow (the polynomial pulse of Klatt and Klatt, 1990)."""
    phase = np.cumsum(_spread(pitch_hz) / RATE_HZ) % 1
    opened = phase / 0.6
    return np.where(opened < 1, 2 * opened - 3 * opened**2, 0.0)


def _envelope(utterance: Utterance, values: list[float], times: Doubles) -> Doubles:
    return _smooth(utterance.at(times, values, 0.0), 3)


def _tract(utterance: Utterance, delivery: Delivery, times: Doubles) -> NDArray[np.complex128]:
    """Return the response of the vocal tract at each time, `[T, F]`."""
    frequency = np.fft.rfftfreq(BINS, 1 / RATE_HZ)
    delay = np.exp(-2j * np.pi * frequency / RATE_HZ)
    slope_db = SLOPE_DB + delivery.voice.tilt_db + delivery.prosody.tilt_db
    response = np.tile(10 ** (slope_db * np.log2(np.maximum(frequency, 100) / 500) / 20) + 0j, (len(times), 1))
    for n, bandwidth in enumerate(BANDWIDTHS_HZ):
        values = [(*p.formants_hz, FOURTH_HZ)[n] for p in utterance.phones]
        centre = delivery.voice.tract * _smooth(utterance.at(times, values, float(np.mean(values))), 7)
        pole = np.exp((-np.pi * bandwidth + 2j * np.pi * centre) / RATE_HZ)[:, None]
        gain = 1 - 2 * pole.real + np.abs(pole) ** 2
        response *= gain / (1 - 2 * pole.real * delay + np.abs(pole) ** 2 * delay**2)
    return response


def _bands(utterance: Utterance, times: Doubles) -> Doubles:
    """Return the colour of the friction noise at each time, `[T, F]`."""
    frequency = np.fft.rfftfreq(BINS, 1 / RATE_HZ)
    centre = utterance.at(times, [p.noise_hz for p in utterance.phones], 2000.0)[:, None]
    return np.asarray(np.exp(-0.5 * ((frequency - centre) / NOISE_BAND_HZ) ** 2))


def _filtered(signal: Doubles, response: NDArray[np.complex128] | Doubles) -> Doubles:
    """Return the signal through a filter that changes every `HOP` samples; Hann windows add up to one."""
    steps = len(response) - 1
    window = np.hanning(2 * HOP + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(signal, 2 * HOP)[::HOP][:steps] * window
    pieces = np.fft.irfft(np.fft.rfft(frames, BINS) * response[1:], BINS)
    result = np.zeros((steps + BINS // HOP, HOP))
    for n in range(BINS // HOP):
        result[n : n + steps] += pieces[:, n * HOP : (n + 1) * HOP]
    return result.ravel()[: len(signal)]


def _spread(values: Doubles) -> Doubles:
    """Return values at the hops as values at the samples."""
    return np.interp(np.arange(len(values) * HOP) / HOP, np.arange(len(values)), values)


def _smooth(values: Doubles, width: int) -> Doubles:
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.hanning(width + 2)[1:-1] / np.hanning(width + 2).sum(), mode="valid")
