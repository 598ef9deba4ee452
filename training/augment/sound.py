"""The same words, louder, noisier, faster, cut elsewhere."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from mmer.edge.inputs.audio import resample
from mmer.training.augment.effects import EFFECTS, Sound
from mmer.training.augment.limits import limited


@dataclass(frozen=True, slots=True)
class SoundChanges:
    """How far the sound of a clip may stray."""

    gain_db: float = 6.0
    noise: float = 0.1
    """White noise, as a share of the sound's own level."""
    tilt: float = 0.5
    """Weight of the sample before, added or taken away: a duller or a brighter recording."""
    speed: float = 0.1
    """Tempo and pitch together, as a share."""
    cut: float = 0.1
    """Share of the sound taken off, at both ends together."""
    longest_s: float = 3.0
    """Longer sound is cut to this at a random place; 0 leaves it alone."""
    echo_s: float = 0.0
    """The longest reverberation of a room."""
    muffle: float = 0.0
    """Share of the spectrum that a codec may cut off at its upper end."""
    coarse: float = 0.0
    """Largest step of a codec with few bits, as a share of the peak's root."""
    gap_s: float = 0.0
    """The longest of two gaps."""
    notch: float = 0.0
    """The widest of two bands that are taken out, as a share of the mel scale."""

    def __post_init__(self) -> None:
        limited("sound", asdict(self), _MOST)


_MOST: Final[Mapping[str, float]] = {
    "gain_db": 40.0,
    "noise": 1.0,
    "tilt": 1.0,
    "speed": 0.5,
    "cut": 0.9,
    "longest_s": 1e6,
    "echo_s": 10.0,
    "muffle": 0.9,
    "coarse": 1.0,
    "gap_s": 10.0,
    "notch": 0.9,
}

SAME_SOUND = SoundChanges(**dict.fromkeys(_MOST, 0.0))


def varied(samples: Sound, rate_hz: int, limits: SoundChanges, rng: np.random.Generator) -> Sound:
    """Return other samples `[N']` of the same words."""
    if not len(samples):
        return samples
    stretched = resample(samples, round(rate_hz * (1 + limits.speed * rng.uniform(-1, 1))), rate_hz)
    longest = round(limits.longest_s * rate_hz) or len(stretched)
    kept = min(len(stretched) - int(len(stretched) * limits.cut * rng.random()), longest)
    first = int(rng.integers(len(stretched) - kept + 1))
    piece = stretched[first : first + kept]
    piece = piece + np.float32(limits.tilt * rng.uniform(-1, 1)) * np.append(np.float32(0), piece[:-1])
    gain = 10 ** (limits.gain_db * rng.uniform(-1, 1) / 20)
    level = limits.noise * rng.random() * float(np.sqrt(np.mean(np.square(piece))))
    noisy = np.asarray(gain * (piece + level * rng.standard_normal(len(piece), np.float32)), np.float32)
    for name, effect in EFFECTS.items():
        if (limit := getattr(limits, name)) and len(noisy):
            noisy = effect(noisy, limit, rate_hz, rng)
    return noisy
