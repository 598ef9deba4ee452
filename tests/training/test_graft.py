"""Branches of several checkpoints make one model, in which each answers as it did alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmer.edge.errors import SettingError
from mmer.training.batch import MODALITIES
from mmer.training.evaluate import SUBSETS
from mmer.training.fitsettings import FitSettings
from mmer.training.graft import begun, grafted
from mmer.training.predict import predict
from mmer.training.report import train_lines
from mmer.training.start import Start
from mmer.training.train import Beginning, TrainSettings, train, untrained
from mmer.training.usual import Wish, usual

LABELS = ("neutral", "happy", "sad")


def part(name, seed, labels=LABELS, speaker="someone", sizes=()):
    wanted = usual(Wish("cafes", "tiny", (f"seed={seed}",), sizes=sizes), labels)
    made = untrained(wanted, [f"so {name}", "so happy today"])
    torch.nn.init.normal_(made.model.fusion.vote.weight)
    facts = replace(made.facts, provenance={"corpus": name, "speakers": {"train": [speaker], "val": []}, "stamps": []})
    return Start(name, replace(made, facts=facts, model=made.model.eval()))


@pytest.fixture(scope="module")
def parts():
    return {modality: part(modality, seed, speaker=modality) for seed, modality in enumerate(MODALITIES, start=1)}


@pytest.fixture(scope="module")
def whole(parts):
    return grafted(parts, 0)


def answers(start, samples, subset):
    return predict(start.checkpoint.model, start.checkpoint.reader(), samples, SUBSETS[subset]).probabilities


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_branch_answers_as_it_did_alone(whole, parts, synth_samples, modality):
    few = synth_samples[:6]
    assert answers(whole, few, modality) == pytest.approx(answers(parts[modality], few, modality), abs=1e-6)


def test_an_absent_part_is_that_of_the_first(parts, synth_samples):
    alone = {modality: parts[modality] for modality in ("audio", "video")}
    assert answers(grafted(alone, 0), synth_samples[:4], "text") == pytest.approx(
        answers(parts["audio"], synth_samples[:4], "text"), abs=1e-6
    )


def test_branches_are_averaged_by_their_heads_until_training_joins_them(whole, synth_samples):
    seen, told, both = (np.log(answers(whole, synth_samples[:5], name)) for name in ("video", "text", "video+text"))
    mean = (seen + 2 * told) / 3  # one head of video, two of text
    differ = both - mean
    assert differ - differ.mean(axis=1, keepdims=True) == pytest.approx(np.zeros((5, 3)), abs=1e-5)


def test_whoever_a_part_has_met_is_no_stranger(whole):
    assert whole.checkpoint.facts.provenance["speakers"]["train"] == sorted(MODALITIES)


def test_corpora_that_a_part_has_met_are_those_of_the_whole(whole):
    assert whole.checkpoint.facts.provenance["corpora"] == sorted(MODALITIES)


def test_labels_of_another_part_are_matched_by_name(parts, synth_samples):
    turned = part("turned", 9, labels=("sad", "happy", "neutral"))
    one = grafted({"video": parts["video"], "audio": turned}, 0)
    found = answers(one, synth_samples[:4], "audio")
    assert found == pytest.approx(answers(turned, synth_samples[:4], "audio")[:, ::-1], abs=1e-6)


@pytest.fixture(scope="module")
def ignorant(parts):
    """A model whose text branch has never met one of its labels."""
    return grafted({"video": parts["video"], "text": part("told", 9, labels=("happy", "neutral"))}, 0)


def test_a_branch_has_no_vote_for_a_label_that_it_does_not_know(ignorant):
    model = ignorant.checkpoint.model
    place, seen = LABELS.index("sad"), model.fusion.heads[0]
    assert not any(model.fusion.heads[head].weight[place].any() for head in (1, 2))
    assert not any(model.fusion.heads[head].bias[place] for head in (1, 2))
    assert seen.weight[place].any()


def test_a_training_says_which_labels_were_new_to_which_branch(ignorant, synth_samples):
    few = [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:4]]
    made = train(few, TrainSettings(LABELS, preset="tiny", fit=FitSettings(epochs=1)), beginning=Beginning(ignorant))
    assert made.checkpoint.facts.provenance["start"]["provenance"]["parts"]["text"]["labels_kept"] == [
        "neutral",
        "happy",
    ]
    assert train_lines(made, Path("made"))[:2] == [
        "started from video=video text=told with its heads: it knew all labels",
        "its text branch began anew for sad",
    ]


def test_a_grafted_model_can_be_trained_and_says_what_it_is_made_of(whole, synth_samples):
    few = [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:4]]
    made = train(few, TrainSettings(LABELS, preset="tiny", fit=FitSettings(epochs=1)), beginning=Beginning(whole))
    assert list(made.checkpoint.facts.provenance["start"]["provenance"]["parts"]) == list(MODALITIES)


@pytest.mark.parametrize("size", ["fusion_width=32", "audio.width=12", "video.projection=[32,24,20]"])
def test_branches_of_other_sizes_in_the_fusion_are_refused(parts, size):
    other = part("wide", 1, sizes=(size,))
    with pytest.raises(SettingError, match="the audio branch"):
        grafted({"video": parts["video"], "audio": other}, 0)


def test_text_looks_at_no_widths_of_other_branches(parts, synth_samples):
    other = part("told", 1, sizes=("audio.width=12", "text.hidden_size=32"))
    whole = grafted({"video": parts["video"], "text": other}, 0)
    assert answers(whole, synth_samples[:4], "text") == pytest.approx(
        answers(other, synth_samples[:4], "text"), abs=1e-6
    )


def test_branches_may_have_sizes_of_their_own(parts, synth_samples):
    other = part("deep", 1, sizes=("audio.recurrent_layers=2",))
    whole = grafted({"video": parts["video"], "audio": other}, 0)
    assert answers(whole, synth_samples[:4], "audio") == pytest.approx(
        answers(other, synth_samples[:4], "audio"), abs=1e-6
    )


@pytest.mark.parametrize("given", [["smell=a"], ["audio=a", "b"], ["audio=a", "audio=b"]])
def test_what_names_no_branch_is_refused(given):
    with pytest.raises(SettingError, match="--from"):
        begun(given, 0)


def test_branches_are_read_from_their_folders(parts, tmp_path):
    for modality in ("audio", "text"):
        parts[modality].checkpoint.save(tmp_path / modality)
    start = begun([f"audio={tmp_path / 'audio'}", f"text={tmp_path / 'text'}"], 0)
    assert start.name == "audio=audio text=text"
