"""The same clip as it could have been: louder, noisier, mirrored, cut elsewhere, with words lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import SettingError
from mmer.edge.inputs.audio import resample

Crops = NDArray[np.uint8]
Sound = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a training clip may stray; every value is a largest change, 0 leaves it alone."""

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
    mirror: float = 0.5
    """How probable it is that a clip's pictures are mirrored, all of them."""
    brightness: float = 0.15
    """As a share of the whole range."""
    contrast: float = 0.2
    shift_px: int = 3
    """The face moves within its crops, by the same in all of them; the edge is repeated."""
    lost_tokens: float = 0.1
    """How probable it is that a token becomes the unknown one."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= getattr(self, name) <= _MOST[name]:
                raise SettingError(f"augmentation {name} is {getattr(self, name):g}, not within 0..{_MOST[name]:g}")


_MOST = {
    "gain_db": 40.0,
    "noise": 1.0,
    "tilt": 1.0,
    "speed": 0.5,
    "cut": 0.9,
    "longest_s": 1e6,
    "mirror": 1.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "shift_px": 48,
    "lost_tokens": 1.0,
}

UNCHANGED = Augmentation(**dict.fromkeys(_MOST, 0))


def sound(samples: Sound, rate_hz: int, limits: Augmentation, rng: np.random.Generator) -> Sound:
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
    return np.asarray(gain * (piece + level * rng.standard_normal(len(piece), np.float32)), np.float32)


def crops(pixels: Crops, limits: Augmentation, rng: np.random.Generator) -> Crops:
    """Return other crops `[N, S, S, 3]` of the same face; the change is one for the whole clip."""
    if rng.random() < limits.mirror:
        pixels = pixels[:, :, ::-1]
    contrast, brightness = 1 + limits.contrast * rng.uniform(-1, 1), 255 * limits.brightness * rng.uniform(-1, 1)
    levels = np.clip((np.arange(256) - 127.5) * contrast + 127.5 + brightness, 0, 255).astype(np.uint8)
    rows, columns = (_shifted(pixels.shape[1], limits.shift_px, rng) for _ in range(2))
    varied: Crops = levels[pixels[:, rows][:, :, columns]]
    return varied


def chosen(count: int, most: int, rng: np.random.Generator) -> Sequence[int]:
    """Return at most `most` indices of `count` crops, in order."""
    return range(count) if count <= most else sorted(rng.choice(count, most, replace=False).tolist())


def tokens(ids: Ids, unknown: int, limits: Augmentation, rng: np.random.Generator) -> Ids:
    """Return the ids `[L]` with some made unknown; the first and last, which frame the sentence, stay."""
    lost = rng.random(len(ids)) < limits.lost_tokens
    lost[[0, -1]] = False
    return np.where(lost, unknown, ids)


def _shifted(size: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.clip(np.arange(size) + int(rng.integers(-most, most + 1)), 0, size - 1)
