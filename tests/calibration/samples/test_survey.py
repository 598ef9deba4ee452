"""Samples are seen through: copies, silence and pictures of one colour."""

import numpy as np
import pytest

from mmer.calibration.samples.finite import NotFiniteError
from mmer.calibration.samples.survey import survey


def look(*arrays, sounds=()):
    return survey(((f"sample {n}", {"x": array}) for n, array in enumerate(arrays)), sounds)


def noise(*shape, scale=1.0, seed=0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype("f4")


def test_what_varies_is_not_flat():
    assert look(noise(1, 50), noise(2, 3, 8, 8)).flat == {"x": 0}


def test_zeros_and_constants_are_flat():
    assert look(np.zeros((1, 50), "f4"), np.full((1, 50), 0.7, "f4"), noise(1, 50)).flat == {"x": 2}


def test_a_black_picture_is_flat_although_its_channels_differ_after_levelling():
    black = np.broadcast_to(np.array([-4.3, -3.3, -3.2], "f4")[:, None, None], (5, 3, 8, 8))
    assert look(black).flat == {"x": 1}


def test_one_picture_with_something_in_it_is_enough():
    pictures = np.zeros((5, 3, 8, 8), "f4")
    pictures[3, 1, 2, 2] = 1
    assert look(pictures).flat == {"x": 0}


def test_sound_far_below_speech_is_silence():
    hiss = noise(1, 800, scale=1e-4)
    assert look(hiss, sounds=["x"]).flat == {"x": 1}
    assert look(hiss).flat == {"x": 0}
    assert look(noise(1, 800, scale=2e-3), sounds=["x"]).flat == {"x": 0}


def test_numbers_that_stand_for_words_may_be_one_word():
    found = look(np.ones((1, 4), "i8"))
    assert (found.held, found.flat) == ({}, {})


def test_copies_are_counted_by_value_shape_and_type():
    one, other = noise(1, 6), noise(1, 6, seed=1)
    assert look(one, other, one.copy(), one.reshape(6, 1), one.astype("f8")).copies == 1


def test_nan_is_refused_with_the_name_of_its_sample():
    with pytest.raises(NotFiniteError, match=r"^sample 1: x holds 1"):
        look(noise(1, 3), np.array([[0, np.nan, 1]], "f4"))
