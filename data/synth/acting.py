"""A pose played over time: onset, wavering, blinks and the mouth of speech."""

from dataclasses import dataclass, replace

import numpy as np

from mmer.data.synth.arrays import Doubles
from mmer.data.synth.emotion import Pose, blend
from mmer.data.synth.phones import Utterance

BLINK_S = 0.2
SPEECH_GAP = 0.6
"""Gap between the lips in an open vowel."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a face does in a clip."""

    pose: Pose
    """At its height."""
    utterance: Utterance

    def play(self, times_s: Doubles, rng: np.random.Generator) -> list[Pose]:
        """Return the pose at each time."""
        strength, closing = _strength(times_s, rng), _blinks(times_s, rng)
        spoken = self._spoken(times_s)
        return [self._at(*now) for now in zip(strength.tolist(), closing.tolist(), spoken.tolist(), strict=True)]

    def _at(self, strength: float, closing: float, spoken: float) -> Pose:
        held = blend([(self.pose, strength)])
        return replace(
            held,
            eyes=max(held.eyes * (1 - closing) - closing, -1.0),
            gap=min(held.gap * (1 - 0.4 * spoken) + SPEECH_GAP * spoken, 1.1),
            press=held.press * (1 - spoken),
        )

    def _spoken(self, times_s: Doubles) -> Doubles:
        """Return how far speech opens the mouth, 0-1, averaged over what lips take to move."""
        gaps = [p.gap for p in self.utterance.phones]
        lags = np.linspace(-0.04, 0.04, 5)
        return np.asarray(np.mean([self.utterance.at(times_s + lag, gaps, 0.0) for lag in lags], axis=0))


def _strength(times_s: Doubles, rng: np.random.Generator) -> Doubles:
    """Return how much of the pose is shown: it sets in during the first second, then wavers."""
    first, onset, phase = rng.uniform(0.4, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0, 2 * np.pi)
    rise = first + (1 - first) * np.clip(times_s / onset, 0, 1)
    return rise * (0.94 + 0.06 * np.sin(2 * np.pi * 0.6 * times_s + phase))


def _blinks(times_s: Doubles, rng: np.random.Generator) -> Doubles:
    """Return how far the lids are closed, 0-1."""
    moments = np.cumsum(rng.uniform(1.2, 4.0, int(times_s[-1]) + 2))
    closed = [np.clip(1 - np.abs(times_s - moment) / (BLINK_S / 2), 0, 1) for moment in moments]
    return np.asarray(np.max(closed, axis=0))
