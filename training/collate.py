"""From samples to the tensors of a batch: the runtime's preprocessing, then padding and masks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmer.edge.inputs.padded import padded
from mmer.edge.inputs.text import Tokeniser
from mmer.training.augment import pictures, sound, words
from mmer.training.augment.settings import Augmentation
from mmer.training.batch import Batch
from mmer.training.recording import Inputs
from mmer.training.samples import Sample
from mmer.training.tokenizer import UNKNOWN
from mmer.training.waveform import MIN_SAMPLES

Presence = tuple[bool, bool, bool]
"""Video, audio, text."""
EVERYTHING: Presence = (True, True, True)


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """One sample as the model reads it, at its true length; `None` where a modality is absent."""

    frames: NDArray[np.float32] | None
    """`[T, 3, S, S]`."""
    samples: NDArray[np.float32] | None
    """`[N]`."""
    ids: NDArray[np.int64] | None
    """`[L]`."""

    @property
    def present(self) -> Presence:
        """Which modalities there are."""
        return self.frames is not None, self.samples is not None, self.ids is not None

    def only(self, kept: Presence) -> "Arrays":
        """Return the same without the modalities that are not kept."""
        video, audio, text = kept
        return Arrays(self.frames if video else None, self.samples if audio else None, self.ids if text else None)


@dataclass(frozen=True, slots=True)
class Reader:
    """Looks at samples exactly as the runtime looks at windows."""

    inputs: Inputs
    tokeniser: Tokeniser

    def read(self, sample: Sample) -> Arrays:
        """Return a sample as it is."""
        recording, video = sample.recording, self.inputs.video
        times = recording.crop_times_s.tolist()
        chosen = video.choose(times, recording.start_s, recording.end_s)
        return self._arrays(recording.crops[chosen], recording.sound, sample.text)

    def vary(self, sample: Sample, limits: Augmentation, rng: np.random.Generator) -> Arrays:
        """Return a sample as it could have been."""
        recording = sample.recording
        chosen = pictures.chosen(len(recording.crops), self.inputs.video.max_frames, rng)
        crops = pictures.varied(recording.crops[list(chosen)], limits.pictures, rng)
        heard = sound.varied(recording.sound, self.inputs.audio.rate_hz, limits.sound, rng)
        if len(heard) < MIN_SAMPLES:  # what was barely heard would be heard no more
            heard = recording.sound
        arrays = self._arrays(crops, heard, sample.text)
        if arrays.ids is None:
            return arrays
        return replace(arrays, ids=words.varied(arrays.ids, UNKNOWN, limits.words, rng))

    def _arrays(self, crops: NDArray[np.uint8], sound: NDArray[np.float32], text: str) -> Arrays:
        frames = self.inputs.video.arrays(list(crops))
        enough = len(sound) >= MIN_SAMPLES  # the exported plan takes less for silence too
        samples = self.inputs.audio.arrays(sound, self.inputs.audio.rate_hz) if enough else None
        ids = self.tokeniser.arrays(text)
        return Arrays(
            None if frames is None else frames.values[frames.mask],
            None if samples is None else samples.values[samples.mask],
            None if ids is None else ids.values[ids.mask],
        )


def dropped(arrays: Arrays, shares: tuple[float, float, float], rng: np.random.Generator) -> Arrays:
    """Return the sample with modalities left out, each with the probability given; one that is there always stays."""
    there = np.flatnonzero(arrays.present)
    if not len(there):
        return arrays
    spared = rng.choice(there)
    kept = rng.random(3) >= shares
    if not kept[there].any():
        kept[spared] = True
    video, audio, text = kept.tolist()
    return arrays.only((video, audio, text))


def collate(rows: Sequence[Arrays], size: int) -> Batch:
    """Return the rows as one batch; `size` is the width of a frame, needed when nobody is seen."""
    nobody, silence = np.zeros((0, 3, size, size), np.float32), np.zeros(0, np.float32)
    nothing = np.zeros(0, np.int64)
    frames, frames_mask = _padded([nobody if row.frames is None else row.frames for row in rows], 1)
    samples, samples_mask = _padded([silence if row.samples is None else row.samples for row in rows], MIN_SAMPLES)
    ids, ids_mask = _padded([nothing if row.ids is None else row.ids for row in rows], 1)
    present = torch.tensor([row.present for row in rows])
    return Batch(frames, frames_mask, samples, samples_mask, ids, ids_mask, present)


def _padded(values: Sequence[NDArray[np.generic]], least: int) -> tuple[Tensor, Tensor]:
    """Return `[B, T, ...]` and the mask `[B, T]`, with `T` the longest row but no less than `least`."""
    longest = max(least, *(len(value) for value in values))
    rows = [padded(value, longest) for value in values]
    return torch.from_numpy(np.stack([row.values for row in rows])), torch.from_numpy(np.stack([r.mask for r in rows]))
