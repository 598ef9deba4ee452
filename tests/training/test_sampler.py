"""How often each class is shown."""

import numpy as np
import pytest

from mmer.edge.errors import SettingError
from mmer.training.sampler import SamplerSettings, batches, drawn

LABELS = np.repeat([0, 1, 2], [800, 160, 40])


def shares(**settings):
    """The mean share of each class over many epochs."""
    rng = np.random.default_rng(0)
    shown = [LABELS[drawn(LABELS, SamplerSettings(**settings), rng)] for _ in range(50)]
    return np.bincount(np.concatenate(shown)) / (50 * len(LABELS))


def test_each_sample_is_shown_once_and_nothing_is_drawn_for_it():
    rng = np.random.default_rng(0)
    assert drawn(LABELS, SamplerSettings(), rng).tolist() == list(range(1000))
    assert rng.random() == np.random.default_rng(0).random()


def test_weighted_shows_classes_alike():
    assert shares(kind="weighted") == pytest.approx([1 / 3] * 3, abs=0.01)


def test_tempered_shows_classes_by_a_power_of_their_size():
    expected = np.sqrt([800, 160, 40])
    assert shares(kind="tempered", temper=0.5) == pytest.approx(expected / expected.sum(), abs=0.01)


def test_tempered_without_temper_shows_classes_as_they_are():
    assert shares(kind="tempered", temper=0.0) == pytest.approx([0.8, 0.16, 0.04], abs=0.01)


def test_balanced_shows_classes_equally_in_every_epoch():
    shown = drawn(LABELS, SamplerSettings("balanced"), np.random.default_rng(1))
    assert sorted(np.bincount(LABELS[shown])) == [333, 333, 334]


def test_balanced_repeats_a_sample_only_after_its_whole_class():
    shown = drawn(LABELS, SamplerSettings("balanced"), np.random.default_rng(1))
    times = np.bincount(shown, minlength=1000)
    assert np.ptp(times[LABELS == 2]) <= 1
    assert times[LABELS == 0].max() == 1


def test_long_and_short_clips_meet_in_a_batch_when_none_are_sorted_together():
    lengths = np.repeat([1, 100], 64)
    apart, mixed = (list(batches(lengths, 16, np.random.default_rng(0), together)) for together in (8, 1))
    assert sum(len(set(lengths[batch])) == 1 for batch in apart) == 8
    assert all(len(set(lengths[batch])) == 2 for batch in mixed)
    assert sorted(place for batch in mixed for place in batch) == list(range(128))


@pytest.mark.parametrize("wrong", [{"kind": "lucky"}, {"temper": 1.5}, {"sorted_batches": 0}])
def test_samplers_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError, match=r"sampler\."):
        SamplerSettings(**wrong)
