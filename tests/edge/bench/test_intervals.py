"""Intervals cover what they should and keep to the speakers."""

import math

import numpy as np
import pytest

from mmer.edge.bench.intervals import ACROSS, Bootstrap, interval
from mmer.edge.errors import SettingError


def mean_of(values):
    return lambda picked: float(values[picked].mean())


def test_the_value_is_that_of_all_clips_and_lies_inside():
    values = np.random.default_rng(0).random(60)
    found = interval(mean_of(values), ["a"] * 30 + ["b"] * 30)
    assert found.low < found.value == values.mean() < found.high


def test_the_interval_of_a_mean_has_the_width_that_theory_gives():
    values = np.random.default_rng(1).normal(size=400)
    found = interval(mean_of(values), ["a"] * 400)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_clips_are_drawn_within_speakers_only():
    values = np.repeat([0.0, 1.0], 20)
    found = interval(mean_of(values), ["a"] * 20 + ["b"] * 20)
    assert (found.low, found.high) == (0.5, 0.5)


def test_speakers_of_few_clips_are_drawn_from_together():
    values = np.random.default_rng(4).normal(size=400)
    alone, together = np.arange(400).astype(str), ["all"] * 400
    one, other = (interval(mean_of(values), speakers) for speakers in (alone, together))
    assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.1)


def test_across_speakers_whole_speakers_are_drawn():
    values = np.repeat([0.0, 1.0], 20)
    found = interval(mean_of(values), ["a"] * 20 + ["b"] * 20, Bootstrap(draw=ACROSS))
    assert (found.low, found.value, found.high) == (0.0, 0.5, 1.0)


def test_the_interval_across_speakers_has_the_width_that_theory_gives():
    speakers, clips = 100, 5
    values = np.repeat(np.random.default_rng(3).normal(size=speakers), clips)
    found = interval(mean_of(values), np.repeat(np.arange(speakers), clips).astype(str), Bootstrap(draw=ACROSS))
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(speakers), rel=0.1)


def test_across_a_single_speaker_there_is_no_interval():
    found = interval(mean_of(np.arange(4.0)), ["a"] * 4, Bootstrap(repeats=10, draw=ACROSS))
    assert found.value == 1.5
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_equal_seeds_give_equal_intervals():
    values = np.random.default_rng(2).random(50)
    one, same, other = (interval(mean_of(values), ["a"] * 50, Bootstrap(seed=seed)) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("wrong", [{"repeats": 0}, {"level": 1.0}, {"draw": "nobody"}])
def test_a_bootstrap_that_cannot_be_is_refused(wrong):
    with pytest.raises(SettingError):
        Bootstrap(**wrong)
