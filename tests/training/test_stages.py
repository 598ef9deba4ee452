"""Stages change what they name and nothing else, each beginning where the one before ended."""

import json
from dataclasses import replace

import pytest
import torch

from mmer.edge.corpus import Corpus, write_index
from mmer.edge.errors import CorpusError, SettingError
from mmer.training.augment.settings import Augmentation
from mmer.training.fitsettings import FitSettings
from mmer.training.loop import Listener
from mmer.training.material import Material
from mmer.training.optimiser import OptimiserSettings
from mmer.training.recording import Inputs
from mmer.training.stages import Stage, StagesError, read_stages
from mmer.training.start import Start
from mmer.training.train import Beginning, TrainSettings, train
from mmer.training.usual import Wish, steps, usual
from mmer.training.watch.row import Row

LABELS = ("neutral", "happy", "sad")
FIT = FitSettings(
    epochs=1,
    batch_size=4,
    keep="last",
    optimiser=OptimiserSettings("adamw", lr=3e-3, text_lr_share=1.0),
    augmentation=Augmentation(),
)


@pytest.fixture(scope="module")
def samples(synth_samples):
    return [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:8]]


def staged(samples, *stages, **more):
    return train(samples, TrainSettings(LABELS, preset="tiny", fit=FIT, stages=stages), **more)


def changed(before, after):
    """Names of the tensors that differ."""
    states = before.checkpoint.model.state_dict(), after.checkpoint.model.state_dict()
    return {name for name, value in states[0].items() if not torch.equal(value, states[1][name])}


def test_a_stage_begins_where_the_one_before_ended_and_leaves_the_frozen_as_it_was(samples):
    one, two = Stage("one", fit=FIT), Stage("two", trains=("video.layers", "fusion"), fit=FIT)
    moved = changed(staged(samples, one), staged(samples, one, two))
    assert {name.partition(".layers")[0].partition(".")[0] for name in moved} == {"video", "fusion"}
    assert not any(name.startswith(("video.project", "video.confidence")) for name in moved)


def test_frozen_normalisation_and_mixtures_keep_their_statistics(samples):
    one, two = Stage("one", fit=FIT), Stage("two", fit=replace(FIT, rates={"audio": 0, "face": 0}))
    moved = changed(staged(samples, one), staged(samples, one, two))
    assert any("video.confidence.view.mixture.means" in name for name in moved)
    assert not any(name.startswith(("audio.", "face.")) for name in moved)


def test_a_stage_on_one_modality_leaves_the_other_branches_alone(samples):
    one, two = Stage("one", fit=FIT), Stage("two", modality="text", fit=FIT)
    moved = changed(staged(samples, one), staged(samples, one, two))
    assert {name.partition(".")[0] for name in moved} == {"text", "fusion"}


def test_one_stage_is_a_training_without_stages(samples):
    whole = train(samples, TrainSettings(LABELS, preset="tiny", fit=FIT))
    assert changed(whole, staged(samples, Stage(fit=FIT))) == set()


def test_the_rows_and_lines_name_the_stage_and_the_record_all_of_them(samples):
    made = staged(samples, Stage("words", modality="text", fit=FIT), Stage("all of it", trains=("fusion",), fit=FIT))
    assert [(epoch.number, epoch.stage) for epoch in made.result.epochs] == [(1, "words"), (2, "all of it")]
    assert Row.now(made.result.epochs[0], 16).line.startswith("epoch 1  stage words  loss")
    recorded = made.checkpoint.facts.provenance["stages"]
    assert [(stage["name"], list(stage["trains"])) for stage in recorded] == [("words", []), ("all of it", ["fusion"])]
    assert [stage["clips"] for stage in recorded] == [{"train": 8, "val": 8}] * 2
    assert made.checkpoint.facts.provenance["clips"] == {"train": 8, "val": 8}


def test_the_announced_steps_are_those_of_all_stages(samples):
    stages = Stage("words", modality="text", fit=FIT), Stage("together", fit=replace(FIT, epochs=2, batch_size=3))
    settings = TrainSettings(LABELS, preset="tiny", fit=FIT, stages=stages)
    assert steps(samples, settings) == 2 + 2 * 3


def test_what_a_later_stage_cannot_do_is_refused_before_the_first(samples):
    told = []
    with pytest.raises(SettingError, match="no part of the model is called 'fce'"):
        staged(samples, Stage("one", fit=FIT), Stage("two", ("fce",), fit=FIT), listener=Listener(told.append))
    assert told == []


def test_a_stage_without_clips_is_refused_by_name(samples):
    with pytest.raises(SettingError, match="0 validation clips in stage 'one'"):
        staged([s for s in samples if s.split == "train"], Stage("one", fit=FIT))


def test_a_stage_may_have_clips_of_its_own(synth_corpus, synth_cache, tmp_path, monkeypatch):
    monkeypatch.setattr("mmer.training.samples.RecordingCache.default", lambda: synth_cache)
    parts = [[e for e in synth_corpus.entries if e.split == split][:4] for split in ("train", "val")]
    write_index(tmp_path / "own.csv", [entry for part in parts for entry in part])
    stages = Stage("own", data=str(tmp_path / "own.csv"), fit=FIT), Stage("shared", fit=FIT)
    shared = replace(synth_corpus, entries=tuple(e for e in synth_corpus.entries if e.split != "test")[:24])
    material = Material.of(replace(shared, entries=(*shared.entries, *parts[1])), stages)
    told = []
    found = material.samples(LABELS, Inputs(), told.append)
    assert told == list(range(1, len(material.everything.entries) + 1))
    assert [len(stage.part(found, "train")) for stage in stages] == [4, 24]
    made = staged(found, *stages, beginning=Beginning(corpora=material.digests))
    assert Corpus.read([tmp_path / "own.csv"]).digest in made.checkpoint.facts.provenance["corpora"]
    assert [stage["data"] for stage in made.checkpoint.facts.provenance["stages"]] == ["own.csv", ""]


def test_an_index_of_a_stage_that_is_not_there_is_refused(synth_corpus):
    with pytest.raises(CorpusError, match=r"own\.csv"):
        Material.of(synth_corpus, [Stage(data="own.csv")])


TOML = """
[[stage]]
name = "faces"
trains = ["video"]
modality = "video"
data = "faces.csv"
fit = { epochs = 3, optimiser.lr = 0.001 }

[[stage]]
name = "together"
fit.rates = { face = 0.1, "video.layers" = 0.5 }
"""


def test_a_file_says_what_differs_and_the_rest_is_as_asked(tmp_path):
    (tmp_path / "stages.toml").write_text(TOML)
    faces, together = read_stages(tmp_path / "stages.toml", FIT)
    optimiser = replace(FIT.optimiser, lr=0.001)
    own = str(tmp_path / "faces.csv")
    assert faces == Stage("faces", ("video",), "video", own, replace(FIT, epochs=3, optimiser=optimiser))
    assert together == Stage("together", fit=replace(FIT, rates={"face": 0.1, "video.layers": 0.5}))


def test_json_says_the_same_as_toml(tmp_path):
    stages = [
        {"name": "faces", "trains": ["video"], "modality": "video", "data": "faces.csv"},
        {"name": "together", "fit": {"rates": {"face": 0.1, "video.layers": 0.5}}},
    ]
    stages[0]["fit"] = {"epochs": 3, "optimiser": {"lr": 0.001}}
    (tmp_path / "stages.json").write_text(json.dumps({"stage": stages}))
    (tmp_path / "stages.toml").write_text(TOML)
    assert read_stages(tmp_path / "stages.json", FIT) == read_stages(tmp_path / "stages.toml", FIT)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("stage = 3", "needs a list called stage"),
        ("[[stage]]\nname = 'a'\n[more]\n", "nothing else"),
        ("[[stage]]\nname = ", "is not TOML"),
        ("[[stage]]\ntrains = ['video']", "stage 1 has no name"),
        ("[[stage]]\nname = 'a'\nepochs = 3", "stage 'a' has 'epochs'; there are name, trains"),
        ("[[stage]]\nname = 'a'\ntrains = 'video'", "trains of the wrong kind"),
        ("[[stage]]\nname = 'a'\ntrains = [1]", "trains of the wrong kind"),
        ("[[stage]]\nname = 'a'\nmodality = 'smell'", "modality is 'smell', not one of all, video"),
        ("[[stage]]\nname = 'a'\nfit.epochs = 0", "stage 'a': epochs is 0"),
        ("[[stage]]\nname = 'a'\nfit.epochs = 2026-01-01", "'2026-01-01', where something like 1 is needed"),
        ("[[stage]]\nname = 'a'\nfit.speed = 1", "there is no such setting"),
        ("[[stage]]\nname = 'a'\nfit.seed = 1", "the seed is one for all stages"),
        ("[[stage]]\nname = 'a'\nfit.rates.face = -1", "rates.face is -1"),
        ("[[stage]]\nname = 'a'\nfit.rates.face = 'slow'", "rates.face is 'slow', not a number"),
        ("[[stage]]\nname = 'a'\n[[stage]]\nname = 'a'", "two stages are called 'a'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, content, reason):
    (tmp_path / "stages.toml").write_text(content)
    with pytest.raises(StagesError, match=reason) as caught:
        read_stages(tmp_path / "stages.toml", FIT)
    assert "\n" not in str(caught.value)
    assert "docs/training.md" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StagesError, match="cannot be read"):
        read_stages(tmp_path / "stages.toml", FIT)


def test_modality_is_said_in_one_place(tmp_path):
    (tmp_path / "stages.toml").write_text(TOML)
    with pytest.raises(SettingError, match="leave --modality out"):
        usual(Wish("cafes", "tiny", modality="audio", stages=tmp_path / "stages.toml"), LABELS)


def test_a_fine_tuned_checkpoint_may_have_stages_too(samples):
    start = Start("before", staged(samples, Stage("one", fit=FIT)).checkpoint)
    made = staged(samples, Stage("two", trains=("fusion",), fit=FIT), beginning=Beginning(start))
    before, after = start.checkpoint.model.state_dict(), made.checkpoint.model.state_dict()
    assert {name.partition(".")[0] for name in after if not torch.equal(before[name], after[name])} == {"fusion"}
