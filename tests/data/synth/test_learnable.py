"""The corpus carries its classes in every modality, over speakers: nearest centroids on simple features."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
import pytest

from mmer.data.synth.clip import SynthClip, make_clip
from mmer.data.synth.recipe import SynthRecipe
from mmer.edge.faces.mtcnn import Mtcnn

CHANCE = 1 / 6


@cache
def detector() -> Mtcnn:
    return Mtcnn.open()


def sound(clip: SynthClip) -> np.ndarray:
    """Return pitch, its movement, level, pace and colour of the voice."""
    frames = np.lib.stride_tricks.sliding_window_view(clip.samples, 640)[::160] * np.hanning(640)
    power = np.abs(np.fft.rfft(frames, 1024)) ** 2
    level = 10 * np.log10(power.sum(axis=1) + 1e-9)
    on = level > level.max() - 25
    pitch = np.log2(32 + np.fft.irfft(power, 1024)[on, 32:270].argmax(axis=1))
    bands = [np.log(power[on, a:b].mean() + 1e-9) for a, b in ((5, 40), (40, 160), (160, 500))]
    third = len(pitch) // 3
    ends = pitch[-third:].mean() - pitch[:third].mean()
    return np.array([np.median(pitch), pitch.std(), ends, level.max(), level[on].std(), np.flatnonzero(on)[-1], *bands])


def sight(clip: SynthClip) -> np.ndarray:
    """Return the edges in the face, coarsely, averaged over the clip."""
    edges = []
    for pixels in clip.pixels[1::2]:
        left, top, right, bottom = (float(v) for v in detector().detect(pixels)[0].box)
        box = np.array([[(right - left) / 48, 0, left], [0, (bottom - top) / 48, top]])
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        face = cv2.warpAffine(grey, box, (48, 48), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        edges.append(np.abs(cv2.Sobel(face / face.std(), -1, 0, 1)))
    return cv2.resize(np.mean(edges, axis=0), (16, 16), interpolation=cv2.INTER_AREA).ravel()


def words(clip: SynthClip) -> np.ndarray:
    """Return which of the words are there, hashed into 512 places."""
    found = np.zeros(512)
    found[[sum(ord(c) * 31**n for n, c in enumerate(w)) % 512 for w in clip.transcript.split()]] = 1
    return found


@dataclass(frozen=True)
class Study:
    """Clips of one difficulty and what nearest centroids make of the last third of their speakers."""

    labels: np.ndarray
    seen: np.ndarray
    features: Mapping[Callable[[SynthClip], np.ndarray], np.ndarray]

    @classmethod
    def of(cls, difficulty: float) -> "Study":
        recipe = SynthRecipe(speakers=9, clips_per_class=3, difficulty=difficulty, rate_hz=2, black_share=0.0)
        with ThreadPoolExecutor() as pool:
            clips = list(pool.map(lambda clip: make_clip(recipe, *clip), recipe.clips))
        return cls(
            labels=np.array([recipe.labels.index(label) for _, label, _ in recipe.clips]),
            seen=np.array([who < 6 for who, _, _ in recipe.clips]),
            features={read: np.array([read(clip) for clip in clips]) for read in (sight, sound, words)},
        )

    def distances(self, features: np.ndarray) -> np.ndarray:
        known = features[self.seen]
        scaled = (features - known.mean(axis=0)) / (known.std(axis=0) + 1e-6)
        centres = np.stack([scaled[self.seen & (self.labels == c)].mean(axis=0) for c in range(6)])
        distances = ((scaled[~self.seen, None] - centres) ** 2).mean(axis=2)
        return (distances - distances.mean(axis=1, keepdims=True)) / distances.std(axis=1, keepdims=True)

    def accuracy(self, *reads) -> float:
        distances = sum(self.distances(self.features[read]) for read in reads)
        return float(np.mean(distances.argmin(axis=1) == self.labels[~self.seen]))


@pytest.fixture(scope="module")
def easy():
    return Study.of(0.0)


@pytest.fixture(scope="module")
def hard():
    return Study.of(0.7)


@pytest.mark.parametrize("read", [sight, sound, words])
def test_each_modality_tells_the_class_of_unseen_speakers(easy, read):
    assert easy.accuracy(read) > 3 * CHANCE


@pytest.mark.parametrize("read", [sight, sound, words])
def test_difficulty_takes_from_each_modality_but_leaves_some(easy, hard, read):
    assert 1.3 * CHANCE < hard.accuracy(read) < easy.accuracy(read)


def test_together_they_tell_more_than_each_alone(hard):
    assert hard.accuracy(sight, sound, words) > max(hard.accuracy(read) for read in (sight, sound, words))


def test_shuffled_labels_are_at_chance(easy):
    shuffled = replace(easy, labels=np.random.default_rng(0).permutation(easy.labels))
    assert shuffled.accuracy(sight, sound, words) < 2 * CHANCE
