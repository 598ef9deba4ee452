"""What the backbones look at, hear and read: real faces and speech of the pack, or made ones; words by frequency."""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_FACES = "fer2013_val.tar"
_SPEECH = "ravdess_speech"
_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
"""Of ImageNet, as RepVGG and ViT are fed."""
_NEARNESS, _LIGHT, _COLOUR = (0.4, 1.0), (0.4, 1.6), (0.7, 1.3)
_PITCH_HZ = (90.0, 260.0)


@dataclass(frozen=True, slots=True)
class Materials:
    """Where inputs come from; all are drawn by seed."""

    pack: Path | None
    seed: int = 0

    def faces(self, count: int, side: int) -> list[Floats]:
        """Return pictures `[1, 3, side, side]`, normalised."""
        rng = np.random.default_rng([self.seed, 1])
        made = [_blobs(rng) for _ in range(count)] if self.pack is None else _pictures(self.pack / _FACES, count, rng)
        return [_normalised(_taken(picture, side, rng)) for picture in made]

    def speech(self, count: int, rate_hz: int, longest_s: float) -> list[Floats]:
        """Return sounds `[1, N]` of 1 s to `longest_s`, at mean 0 and deviation 1."""
        rng = np.random.default_rng([self.seed, 2])
        lengths = (rng.uniform(1.0, longest_s, count) * rate_hz).astype(int)
        if self.pack is None:
            sounds = [_voice(length, rate_hz, rng) for length in lengths]
        else:
            sounds = _recordings(self.pack / _SPEECH, lengths, rate_hz, rng)
        return [((sound - sound.mean()) / (sound.std() + 1e-7))[np.newaxis].astype(np.float32) for sound in sounds]

    def sentences(self, count: int, vocabulary: int, longest: int) -> list[NDArray[np.int64]]:
        """Return token ids `[1, T]`, as frequent as words are (Zipf), between two that open and close."""
        rng = np.random.default_rng([self.seed, 3])
        shares = 1 / (np.arange(vocabulary - 1000) + 2.7)
        drawn = (rng.choice(len(shares), size, p=shares / shares.sum()) for size in rng.integers(6, longest - 1, count))
        return [np.concatenate([[101], 1000 + ids, [102]])[np.newaxis].astype(np.int64) for ids in drawn]


def _pictures(archive: Path, count: int, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.name.endswith(".jpg")]
        chosen = [members[place] for place in rng.permutation(len(members))[:count]]
        contents = [opened.read() for member in chosen if (opened := tar.extractfile(member))]
    return [cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) for content in contents]


def _blobs(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture of soft shapes of several sizes."""
    layers = [cv2.resize(rng.normal(0, 48, (n, n, 3)), (48, 48), interpolation=cv2.INTER_CUBIC) for n in (3, 6, 16, 48)]
    return np.clip(128 + rng.uniform(-40, 40) + sum(layers) / 2, 0, 255).astype(np.uint8)


def _taken(picture: NDArray[np.uint8], side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture from near or far, in light of some strength and colour: faces of one size are all alike."""
    size = len(picture)
    part = int(rng.uniform(*_NEARNESS) * size)
    top, left = rng.integers(0, size - part + 1, 2)
    large = cv2.resize(picture[top : top + part, left : left + part], (side, side), interpolation=cv2.INTER_CUBIC)
    light = rng.uniform(*_LIGHT) * rng.uniform(*_COLOUR, 3)
    return np.clip(large * light, 0, 255).astype(np.uint8)


def _normalised(picture: NDArray[np.uint8]) -> Floats:
    values = (picture[:, :, ::-1] / 255.0 - _MEAN) / _STD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis], np.float32)


def _recordings(folder: Path, lengths: Sequence[int], rate_hz: int, rng: np.random.Generator) -> list[Floats]:
    """Return so many samples of speech each; what is too short is said again."""
    paths = sorted(folder.glob("*.ogg"))
    chosen = [paths[place] for place in rng.permutation(len(paths))[: len(lengths)]]
    return [np.resize(_heard(path, rate_hz), length) for path, length in zip(chosen, lengths, strict=True)]


def _heard(path: Path, rate_hz: int) -> Floats:
    sound, rate = soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32", always_2d=True)
    found: Floats = soxr.resample(sound.mean(axis=1), rate, rate_hz)
    return found


def _voice(length: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Return harmonics of a wandering pitch, loud and soft in turns, with some noise."""
    time = np.arange(length) / rate_hz
    pitch = rng.uniform(*_PITCH_HZ) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    tone = sum(np.sin(k * phase) * rng.uniform(0.2, 1) / k for k in range(1, 16))
    loudness = 0.1 + np.abs(np.sin(2 * np.pi * rng.uniform(1, 3) * time))
    return np.asarray(loudness * tone + rng.normal(0, 0.05, length), np.float32)
