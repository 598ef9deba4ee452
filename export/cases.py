"""What a model is compared on: every number of frames, lengths from the shortest to the longest, all seven subsets."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mmer.edge.inputs.video import VideoInput
from mmer.edge.pipeline.executor import Item, Values
from mmer.export.subgraphs import Split
from mmer.training.collate import Arrays
from mmer.training.recording import Inputs

_WORDS = (3, 4, 7, 12)
"""Token counts beside the shortest and the longest."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of each modality; 0 for an absent one."""

    frames: int
    samples: int
    tokens: int

    def __str__(self) -> str:
        return f"{self.frames} frames, {self.samples} samples, {self.tokens} tokens"


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One case before any stage has run."""

    name: str
    arrays: Arrays

    def values(self) -> Values:
        """Return what the plan starts from."""
        arrays = self.arrays
        present = np.array([arrays.present], np.float32)
        values = {"present": [self._item("present", present)]}
        if arrays.frames is not None:
            values["crops"] = [self._item(f"frame {i}", frame) for i, frame in enumerate(arrays.frames)]
        if arrays.samples is not None:
            values["samples"] = [self._item("samples", arrays.samples[np.newaxis])]
        if arrays.ids is not None:
            ids = arrays.ids[np.newaxis]
            values |= {"ids": [self._item("ids", ids)], "ids_mask": [self._item("ids_mask", np.ones_like(ids))]}
        return values

    def _item(self, part: str, array: NDArray[np.generic]) -> Item:
        return Item((self.name, part), lambda: array)


def windows(split: Split, inputs: Inputs, seed: int = 0) -> tuple[Window, ...]:
    """Return the matrix of cases; the first has no face, and each of the next ones one frame more."""
    rng = np.random.default_rng(seed)
    least = next(source.least for source in split.plan.sources if source.name == "samples")
    return tuple(
        Window(str(sizes), _drawn(sizes, inputs, split.vocabulary, rng))
        for sizes in dict.fromkeys(_matrix(inputs, least))
    )


def _matrix(inputs: Inputs, least: int) -> Iterator[Sizes]:
    frames, tokens, most = inputs.video.max_frames, inputs.text.max_tokens, inputs.audio.max_samples
    some = [min(max(samples, least), most) for samples in (least * 3, most // 9, most // 5, most // 3)]
    for number in range(frames + 1):
        yield Sizes(number, some[number % len(some)], _WORDS[number % len(_WORDS)])
    for samples in (least, least + 1, least + 1023, least + 1024, most // 2, most - 1, most):
        yield Sizes(frames // 2, min(max(samples, least), most), _WORDS[0])
    for words in (1, 2, tokens - 1, tokens):
        yield Sizes(1, some[0], words)
    for seen, heard, told in product((0, 1), repeat=3):
        if seen or heard or told:
            yield from (Sizes(seen * (2 + i), heard * some[i], told * _WORDS[i]) for i in range(len(_WORDS)))


def _drawn(sizes: Sizes, inputs: Inputs, vocabulary: int, rng: np.random.Generator) -> Arrays:
    return Arrays(
        _faces(sizes.frames, inputs.video, rng) if sizes.frames else None,
        _sound(sizes.samples, rng) if sizes.samples else None,
        rng.integers(0, vocabulary, sizes.tokens) if sizes.tokens else None,
    )


def _faces(number: int, video: VideoInput, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return frames that share a coarse pattern, each with some grain of its own."""
    place = np.arange(video.size) * 6 // video.size
    coarse = rng.integers(0, 256, (6, 6, 3))[place][:, place]
    grain = rng.normal(0, rng.uniform(5, 60), (number, *coarse.shape))
    crops = np.clip(coarse + grain, 0, 255).astype(np.uint8)
    frames: NDArray[np.float32] = video.frames(list(crops))
    return frames


def _sound(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return two tones and noise, at a level between a whisper and full scale."""
    time = np.arange(length)
    tones = sum(np.sin(time * rng.uniform(0.02, 2.5)) for _ in range(2))
    level = 10 ** rng.uniform(-2.5, 0)
    return np.asarray(level * (tones / 2 + rng.normal(0, rng.uniform(0.01, 1), length)), np.float32)
