"""A branch trained alone sees its modality and no other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.branch import branch
from mmer.training.fitsettings import FitSettings
from mmer.training.presets import ALONE, FITS
from mmer.training.report import train_lines
from mmer.training.samples import present
from mmer.training.train import TrainSettings, train, untrained
from mmer.training.usual import Wish, usual

LABELS = ("neutral", "happy", "sad")


@pytest.fixture(scope="module")
def samples(synth_samples):
    return [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:4]]


@pytest.mark.parametrize(("modality", "there"), [("video", (1, 0, 0)), ("audio", (0, 1, 0)), ("text", (0, 0, 1))])
def test_nothing_else_is_left(samples, modality, there):
    assert {present(sample) for sample in branch(samples, modality)} == {tuple(map(bool, there))}


def test_clips_without_the_modality_are_left_out(samples):
    mute = replace(samples[0], recording=replace(samples[0].recording, sound=np.zeros(0, np.float32)))
    assert [s.name for s in branch([mute, *samples[1:]], "audio")] == [s.name for s in samples[1:]]


def test_all_leaves_the_samples_alone(samples):
    assert branch(samples, "all") == samples


def test_a_modality_that_no_clip_has_is_refused(samples):
    with pytest.raises(SettingError, match="none of 8 clips has text"):
        branch([replace(s, text="") for s in samples], "text")


def test_an_unknown_modality_is_refused(samples):
    with pytest.raises(SettingError, match="not one of all, video, audio, text"):
        branch(samples, "smell")


def test_the_other_branches_stay_as_they_began_and_the_report_says_so(samples):
    fit = FitSettings(epochs=1)
    settings = TrainSettings(LABELS, preset="tiny", fit=fit, modality="audio")
    made = train(samples, settings)
    began = untrained(settings, [s.text for s in samples if s.split == "train"]).model.state_dict()
    moved = {
        name.split(".")[0] for name, v in made.checkpoint.model.state_dict().items() if not torch.equal(v, began[name])
    }
    assert moved == {"audio", "fusion"}
    assert "trained on audio alone" in train_lines(made, Path("x"))[-1]


def test_a_branch_with_settings_of_its_own_is_trained_with_them_and_the_others_as_the_whole():
    alone = usual(Wish("cafes", "small", ("epochs=2",), modality="text"), ("sad", "happy")).fit
    assert alone == replace(ALONE["small", "text"], epochs=2)
    assert usual(Wish("cafes", "small", modality="audio"), ("sad", "happy")).fit == FITS["small"]
