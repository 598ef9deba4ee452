"""Batches hold what the runtime would have computed, padded and masked."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmer.edge.inputs.text import TextInput
from mmer.training.augment.settings import UNCHANGED, Augmentation
from mmer.training.augment.sound import SAME_SOUND
from mmer.training.augment.words import WordChanges
from mmer.training.collate import Arrays, Reader, collate, dropped
from mmer.training.recording import Inputs, Recording
from mmer.training.samples import Sample
from mmer.training.tokenizer import tokeniser, train_tokenizer
from mmer.training.waveform import MIN_SAMPLES

STRONG = Augmentation(words=WordChanges(0.5))


def sample(crops=12, sound=9000, text="so happy today", seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(256, size=(crops, 48, 48, 3), dtype=np.uint8)
    recording = Recording(0.0, 3.0, np.arange(crops) * 0.2 + 0.1, pixels, rng.normal(0, 0.1, sound).astype(np.float32))
    return Sample(recording, text, 0, "s", "train", "clip.mp4")


@pytest.fixture(scope="module")
def reader():
    return Reader(Inputs(), tokeniser(train_tokenizer(["so happy today", "very sad"]), TextInput()))


def test_a_sample_is_read_as_the_runtime_reads_a_window(reader):
    one, inputs = sample(), reader.inputs
    arrays = reader.read(one)
    chosen = inputs.video.choose(one.recording.crop_times_s.tolist(), 0.0, 3.0)
    assert np.array_equal(arrays.frames, inputs.video.frames(one.recording.crops[chosen]))
    heard = inputs.audio.arrays(one.recording.sound, 8000)
    assert np.array_equal(arrays.samples, heard.values[heard.mask])
    words = reader.tokeniser.arrays(one.text)
    assert np.array_equal(arrays.ids, words.values[words.mask])


def test_values_stand_at_the_start_and_masks_tell_their_length(reader):
    long, short = reader.read(sample()), reader.read(sample(crops=3, sound=5000, text="sad"))
    batch = collate([long, short], 48)
    assert batch.frames.shape == (2, 8, 3, 48, 48)
    assert batch.samples.shape == (2, 9000)
    assert [m.sum(1).tolist() for m in (batch.frames_mask, batch.samples_mask)] == [[8, 3], [9000, 5000]]
    assert torch.equal(batch.samples[1, :5000], torch.from_numpy(short.samples))
    assert not batch.samples[1, 5000:].any()
    assert batch.ids.dtype == torch.int64


def test_an_absent_modality_is_zeros_of_the_least_size(reader):
    batch = collate([reader.read(sample(crops=0, sound=0))], 48)
    assert batch.frames.shape == (1, 1, 3, 48, 48)
    assert batch.samples.shape == (1, MIN_SAMPLES)
    assert batch.present.tolist() == [[False, False, True]]
    assert not any(tensor.any() for tensor in (batch.frames_mask, batch.samples_mask, batch.frames))


def test_modalities_are_dropped_as_often_as_asked_and_never_all(reader):
    arrays, rng = reader.read(sample()), np.random.default_rng(0)
    seen = Counter(dropped(arrays, (0.5, 0.5, 0.5), rng).present for _ in range(2000))
    assert (False, False, False) not in seen
    assert sum(count for (video, _, _), count in seen.items() if video) / 2000 == pytest.approx(0.5 + 1 / 24, abs=0.03)


def test_the_only_modality_there_is_never_dropped(reader):
    arrays, rng = reader.read(sample(crops=0, text="")), np.random.default_rng(0)
    assert all(dropped(arrays, (1.0, 1.0, 1.0), rng).present == (False, True, False) for _ in range(20))


def test_a_sample_of_nothing_stays_as_it_is(reader):
    nothing = reader.read(sample(crops=0, sound=10, text=""))
    assert dropped(nothing, (0.5, 0.5, 0.5), np.random.default_rng(0)).present == (False, False, False)


def test_nothing_is_dropped_unless_asked(reader):
    arrays, rng = reader.read(sample()), np.random.default_rng(0)
    assert all(dropped(arrays, (0.0, 0.0, 0.0), rng).present == (True, True, True) for _ in range(20))


def same(a: Arrays, b: Arrays) -> bool:
    return all(
        np.array_equal(x, y) for x, y in zip((a.frames, a.samples, a.ids), (b.frames, b.samples, b.ids), strict=True)
    )


def test_equal_seeds_vary_a_sample_equally(reader):
    one, again, other = (reader.vary(sample(), STRONG, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert same(one, again)
    assert not same(one, other)


def test_unchanged_varies_nothing_where_all_crops_are_read(reader):
    few = sample(crops=6)
    assert same(reader.vary(few, UNCHANGED, np.random.default_rng(0)), reader.read(few))


@pytest.mark.parametrize("kind", ["crops", "sound", "text"])
def test_absent_modalities_stay_absent(reader, kind):
    bare = sample(**{kind: "" if kind == "text" else 0})
    assert reader.vary(bare, STRONG, np.random.default_rng(0)).present == reader.read(bare).present


def test_sound_that_is_barely_long_enough_is_still_heard(reader):
    bare, cutting = sample(crops=0, sound=MIN_SAMPLES, text=""), replace(UNCHANGED, sound=replace(SAME_SOUND, cut=0.9))
    varied = [reader.vary(bare, cutting, np.random.default_rng(seed)).present for seed in range(5)]
    assert varied == [(False, True, False)] * 5
