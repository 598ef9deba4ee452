"""From decoded sound to one continuous mono track on the clip's clock."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mmer.edge.inputs.audio import Resampler
from mmer.edge.media.stream import Sound

_JITTER_S = 0.010
"""Time stamps may wander by this much (Matroska counts in milliseconds) before a gap or an overlap is believed."""
_BATCHES_HZ = 10
"""How often a second of sound is resampled: codecs give it in pieces of 20 ms, and each call costs as much as that."""
_FILLED_GAP_S = 1.0
"""Shorter gaps become silence; after a longer one the track starts anew."""


class Soundtrack:
    """Takes sound in order of time, closes small gaps, cuts overlaps and changes the rate."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._run: _Run | None = None

    def push(self, samples: NDArray[np.float32], time_s: float, from_hz: int) -> Iterator[Sound]:
        """Take the next samples; yield what is ready."""
        if self._run and not self._run.continues(time_s, from_hz):
            yield from self.flush()
        if self._run is None:
            self._run = _Run(time_s, from_hz, self._rate_hz)
        yield from self._run.push(self._run.fitted(samples, time_s))

    def flush(self) -> Iterator[Sound]:
        """Yield what the resampler still holds."""
        if self._run:
            yield from self._run.flush()
            self._run = None


class _Run:
    """A stretch of sound without a long gap or a change of rate."""

    def __init__(self, origin_s: float, from_hz: int, to_hz: int) -> None:
        self._origin_s = origin_s
        self._from_hz = from_hz
        self._to_hz = to_hz
        self._taken = 0
        self._given = 0
        self._resampler = Resampler(from_hz, to_hz)
        self._waiting: list[NDArray[np.float32]] = []

    def continues(self, time_s: float, from_hz: int) -> bool:
        return from_hz == self._from_hz and time_s - self._expected_s < _FILLED_GAP_S

    def fitted(self, samples: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """Put silence before samples that come late, cut those that come twice."""
        late_s = time_s - self._expected_s
        if abs(late_s) <= _JITTER_S:
            return samples
        count = round(late_s * self._from_hz)
        return np.concatenate([np.zeros(count, np.float32), samples]) if count > 0 else samples[-count:]

    def push(self, samples: NDArray[np.float32]) -> Iterator[Sound]:
        self._taken += len(samples)
        self._waiting.append(samples)
        if sum(map(len, self._waiting)) * _BATCHES_HZ >= self._from_hz:
            yield from self._resampled()

    def flush(self) -> Iterator[Sound]:
        if self._waiting:
            yield from self._resampled()
        yield from self._out(self._resampler.flush())

    def _resampled(self) -> Iterator[Sound]:
        samples, self._waiting = np.concatenate(self._waiting), []
        yield from self._out(self._resampler.push(samples))

    @property
    def _expected_s(self) -> float:
        return self._origin_s + self._taken / self._from_hz

    def _out(self, samples: NDArray[np.float32]) -> Iterator[Sound]:
        if len(samples):
            yield Sound(self._origin_s + self._given / self._to_hz, self._to_hz, samples)
            self._given += len(samples)


def between(sound: Sound, start_s: float, end_s: float) -> Sound | None:
    """Return the part of the sound between two moments, `None` when there is none."""
    first = max(0, round((start_s - sound.time_s) * sound.rate_hz))
    last = len(sound.samples) if end_s >= sound.end_s else round((end_s - sound.time_s) * sound.rate_hz)
    if first >= last:
        return None
    return Sound(sound.time_s + first / sound.rate_hz, sound.rate_hz, sound.samples[first:last])


def joined(sounds: Iterable[Sound]) -> Sound | None:
    """Return the sounds as one, with silence where nothing was recorded; `None` when there are none."""
    parts = list(sounds)
    if not parts:
        return None
    origin_s, rate_hz = parts[0].time_s, parts[0].rate_hz
    whole = np.zeros(max(round((p.end_s - origin_s) * rate_hz) for p in parts), np.float32)
    for part in parts:
        first = round((part.time_s - origin_s) * rate_hz)
        whole[first : first + len(part.samples)] = part.samples
    return Sound(origin_s, rate_hz, whole)
