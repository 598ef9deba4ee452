"""Mixup: who meets whom, what comes of it, and what is then true."""

import numpy as np
import pytest

from mmer.training.branch import branch
from mmer.training.collate import Arrays
from mmer.training.fitsettings import FitSettings
from mmer.training.mixup import mixed
from mmer.training.train import TrainSettings, train

TRUTH = np.eye(3, dtype=np.float32)


def sound(*values):
    return Arrays(None, np.array(values, np.float32), None)


def seen(frames, value):
    return Arrays(np.full((frames, 3, 2, 2), value, np.float32), None, None)


def spoken(value):
    return Arrays(None, None, np.array([value], np.int64))


def mix(rows, alpha=1.0, seed=0):
    return mixed(rows, TRUTH[: len(rows)], alpha, np.random.default_rng(seed))


def test_the_truth_is_mixed_by_the_share_of_the_input():
    rows, truth = mix([seen(2, 1.0), seen(2, 0.0)])
    assert rows[0].frames == pytest.approx(truth[0, 0])
    assert rows[1].frames == pytest.approx(truth[1, 0])
    assert truth.sum(axis=1) == pytest.approx(1.0)
    assert 0.01 < truth[0, 0] < 0.99


def test_pictures_and_sound_are_cut_to_the_shorter():
    rows, _ = mix([seen(5, 1.0), seen(2, 0.0)])
    assert [len(row.frames) for row in rows] == [2, 2]
    rows, _ = mix([sound(1, 1, 1), sound(2, 2)])
    assert [len(row.samples) for row in rows] == [2, 2]


def test_mixed_sound_is_as_loud_as_its_parts():
    noise = np.random.default_rng(1).standard_normal((2, 20_000)).astype(np.float32)
    rows, _ = mix([sound(*noise[0]), sound(*noise[1])])
    assert [row.samples.std() for row in rows] == pytest.approx([1, 1], abs=0.03)


def test_words_and_those_who_are_alone_of_their_kind_stay_as_they_are():
    there = [spoken(4), spoken(5), sound(1, 2)]
    rows, truth = mix(there)
    assert rows == there
    assert np.array_equal(truth, TRUTH)


def test_only_samples_with_the_same_modalities_meet():
    rows, truth = mixed(
        [sound(1), seen(1, 1.0), sound(2), seen(1, 2.0)], np.eye(4, dtype=np.float32), 1.0, np.random.default_rng(0)
    )
    assert [row.present for row in rows] == [(False, True, False), (True, False, False)] * 2
    assert np.all(truth[[0, 2]][:, [1, 3]] == 0)


def test_nobody_is_mixed_with_himself():
    for seed in range(20):
        _, truth = mix([sound(1), sound(1), sound(1)], seed=seed)
        assert np.all((truth > 0).sum(axis=1) == 2)


def test_a_large_alpha_halves_and_a_small_one_hardly_mixes():
    halves, whole = (mix([sound(1), sound(2)], alpha)[1] for alpha in (1e4, 1e-4))
    assert halves[:, :2] == pytest.approx(0.5, abs=0.05)
    assert whole.max(axis=1) == pytest.approx(1.0)


def test_the_batch_that_was_given_is_not_changed():
    rows, truth = [sound(1), sound(2)], TRUTH[:2].copy()
    mixed(rows, truth, 1.0, np.random.default_rng(0))
    assert (rows[0].samples[0], rows[1].samples[0]) == (1, 2)
    assert np.array_equal(truth, TRUTH[:2])


@pytest.mark.parametrize("modality", ["audio", "video", "text"])
def test_training_on_mixtures_is_another_unless_there_are_words(synth_samples, modality):
    few = [
        s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:9]
    ]  # a batch of 8 and one of 1
    fits = [FitSettings(epochs=2, batch_size=8, seed=3, beta=0.0, mixup=mixup) for mixup in (0.0, 0.4)]
    losses = [
        train(branch(few, modality), TrainSettings(("neutral", "happy", "sad"), preset="tiny", fit=fit))
        .result.epochs[-1]
        .loss
        for fit in fits
    ]
    assert (losses[0] == pytest.approx(losses[1], rel=1e-4)) == (modality == "text")
