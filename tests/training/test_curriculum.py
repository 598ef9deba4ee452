"""Which samples a curriculum shows, and when."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmer.edge.corpus import Entry
from mmer.edge.errors import CorpusError, SettingError
from mmer.training.curriculum import Curriculum, CurriculumSettings, standing
from mmer.training.difficulty import difficulty
from mmer.training.fitsettings import FitSettings
from mmer.training.loop import Listener
from mmer.training.train import Beginning, TrainSettings, train

BY_INDEX = CurriculumSettings(epochs=2, start=0.5, by="index")


def course(samples, settings):
    """How often each sample is shown in each of the first four epochs."""
    curriculum = Curriculum(settings, samples)
    return [np.bincount(curriculum.pool(number), minlength=len(samples)).tolist() for number in range(1, 5)]


@pytest.fixture
def graded(synth_samples):
    """Eight samples of two classes, of which the last are the easiest."""
    return [replace(synth_samples[0], label=place % 2, difficulty=float(-place)) for place in range(8)]


def test_the_easiest_of_every_class_come_first_and_again_until_all_are_shown(graded):
    assert course(graded, BY_INDEX) == [
        [0, 0, 0, 0, 2, 2, 2, 2],
        [0, 0, 1, 1, 1, 1, 2, 2],
        [1] * 8,
        [1] * 8,
    ]


def test_without_a_curriculum_every_epoch_shows_all_in_their_order(graded):
    curriculum = Curriculum(CurriculumSettings(), graded)
    assert not curriculum.watches
    assert curriculum.pool(1).tolist() == list(range(8))


def test_by_loss_the_first_epoch_shows_all_and_what_it_found_easy_comes_next(graded):
    curriculum = Curriculum(replace(BY_INDEX, by="loss"), graded)
    assert curriculum.pool(1).tolist() == list(range(8))
    curriculum.hear(range(8), np.array([1, 1, 9, 9, 2, 2, 8, 8.0]))
    assert sorted(set(curriculum.pool(2).tolist())) == [0, 1, 4, 5]


def test_the_running_loss_forgets_half_each_time(graded):
    curriculum = Curriculum(replace(BY_INDEX, by="loss"), graded)
    curriculum.hear([3], np.array([4.0]))
    curriculum.hear([3], np.array([1.0]))
    assert curriculum.difficulty[3] == 2.5
    assert np.isnan(curriculum.difficulty[4])


def test_a_rare_class_keeps_its_share():
    labels = np.array([0] * 8 + [1] * 2)
    hard = np.array([1.0] * 8 + [100.0, 200.0])
    assert standing(hard, labels)[8:].tolist() == [0.25, 0.75]


def test_what_is_not_known_is_hardest():
    assert standing(np.array([np.nan, 3.0]), np.zeros(2, np.int64)).tolist() == [0.75, 0.25]


def test_an_index_that_does_not_tell_is_refused_with_the_remedy(graded):
    graded[2] = replace(graded[2], difficulty=None)
    with pytest.raises(SettingError, match=r"1 of 8 training clips .* column difficulty"):
        Curriculum(BY_INDEX, graded)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"difficulty": "0.25", "intensity": "HI"}, 0.25),
        ({"intensity": "02"}, 0.0),
        ({"intensity": "LO"}, 1.0),
        ({"intensity": "loud"}, None),
        ({}, None),
    ],
)
def test_difficulty_is_read_from_the_index(columns, found):
    assert difficulty(Entry(Path("a.wav"), "happy", "train", "a", extra=columns)) == found


def test_a_difficulty_that_is_no_number_is_refused():
    with pytest.raises(CorpusError, match="'easy'; write a number"):
        difficulty(Entry(Path("a.wav"), "happy", "train", "a", extra={"difficulty": "easy"}))


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"start": 0.0}, {"by": "mood"}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError, match="curriculum"):
        CurriculumSettings(**wrong)


class StoppedError(Exception):
    """Stands for whatever ends a training."""


def test_going_on_by_loss_shows_the_same_samples(synth_samples, tmp_path):
    few = [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:12]]
    curriculum = CurriculumSettings(epochs=3, start=0.3)
    fit = FitSettings(epochs=4, batch_size=4, mixup=0.4, accumulation=2, curriculum=curriculum)
    settings = TrainSettings(("neutral", "happy", "sad"), preset="tiny", fit=fit)

    def stop(epoch):
        if epoch.number == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(few, settings, listener=Listener(epoch=stop), beginning=Beginning(progress=tmp_path / "p"))
    parts = train(few, settings, beginning=Beginning(progress=tmp_path / "p", resume=True))
    whole = train(few, settings)
    for name, value in whole.checkpoint.model.state_dict().items():
        assert torch.equal(value, parts.checkpoint.model.state_dict()[name]), name
    assert [e.loss for e in parts.result.epochs] == [e.loss for e in whole.result.epochs]
