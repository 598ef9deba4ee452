"""An evaluation says what holds, on what, and whether it can be believed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmer.edge.bench.judges import Judges
from mmer.edge.bench.stamps import CHOSEN, LEAKY
from mmer.edge.bench.verdict import ALL, SUBSETS, report_json, report_lines
from mmer.edge.corpus import Corpus
from mmer.edge.errors import SettingError
from mmer.training.cache import RecordingCache
from mmer.training.evaluate import evaluate, evaluate_corpus
from mmer.training.train import TrainSettings, untrained

LABELS = ("neutral", "happy", "sad")


@pytest.fixture(scope="module")
def checkpoint():
    return untrained(TrainSettings(LABELS, preset="tiny"), ["so sad"])


@pytest.fixture(scope="module")
def report(checkpoint, synth_samples):
    return evaluate(checkpoint, synth_samples, "test", "0" * 64, tuple(SUBSETS))


def test_there_are_seven_sets_of_modalities():
    assert list(SUBSETS) == [ALL, "video+audio", "video+text", "video", "audio+text", "audio", "text"]


def test_every_clip_of_the_split_is_answered_for_every_set(report):
    assert {name: found.scores.clips for name, found in report.subsets.items()} == dict.fromkeys(SUBSETS, 24)


def test_the_confusion_counts_every_clip(report):
    assert np.sum(report.subsets[ALL].confusion, axis=1).tolist() == [8, 8, 8]


def test_clips_without_the_modality_are_not_counted(checkpoint, synth_samples):
    test = [replace(s, text="" if place % 2 else s.text) for place, s in enumerate(synth_samples)]
    found = evaluate(checkpoint, test, "test", subsets=("text",))
    assert (found.clips, found.subsets["text"].scores.clips) == (24, 12)


def test_a_modality_that_no_clip_has_gives_no_figures(checkpoint, synth_samples):
    silent = [replace(s, text="") for s in synth_samples]
    found = evaluate(checkpoint, silent, "test", subsets=("text",))
    assert report_json(found)["subsets"] == {"text": None}
    assert "no clip has any" in report_lines(found)[1]


def test_the_interval_holds_the_value(report):
    uar = report.subsets[ALL].intervals["uar"]
    assert uar.low <= uar.value == report.subsets[ALL].scores.uar <= uar.high


def test_a_speaker_in_two_splits_is_stamped(checkpoint, synth_samples):
    leaky = [*synth_samples, replace(synth_samples[0], split="test")]
    assert evaluate(checkpoint, leaky, "test").stamps == ("LEAKY",)


def test_a_speaker_from_the_training_is_stamped(checkpoint, synth_samples):
    speaker = next(s.speaker for s in synth_samples if s.split == "test")
    seen = replace(checkpoint, facts=replace(checkpoint.facts, provenance={"speakers": {"train": [speaker]}}))
    assert "LEAKY" in report_lines(evaluate(seen, synth_samples, "test"))[0]


def test_disjoint_speakers_bear_no_stamp(report):
    assert report.stamps == ()


def test_the_json_form_has_its_schema_and_is_strict_json(report):
    text = json.dumps(report_json(report), allow_nan=False)
    assert json.loads(text)["schema"] == "mmer.eval/1"


def test_what_cannot_be_had_is_null(checkpoint, synth_samples):
    alike = [s for s in synth_samples if s.label == 0]
    found = report_json(evaluate(checkpoint, alike, "test"))
    assert found["subsets"][ALL]["scores"]["auc"] is None


def test_averaged_accuracy_keeps_its_own_name(report):
    assert "averaged one-vs-rest accuracy" in report_lines(report)[1]


@pytest.mark.parametrize(("split", "subsets"), [("dev", (ALL,)), ("test", ("smell",))])
def test_what_is_not_there_is_refused(checkpoint, synth_samples, split, subsets):
    with pytest.raises(SettingError, match="there are"):
        evaluate(checkpoint, synth_samples, split, subsets=subsets)


def test_speakers_that_the_epoch_was_chosen_by_are_stamped(checkpoint, synth_samples):
    speaker = next(s.speaker for s in synth_samples if s.split == "val")
    chosen = replace(checkpoint, facts=replace(checkpoint.facts, provenance={"speakers": {"val": [speaker]}}))
    assert evaluate(chosen, synth_samples, "val").stamps == (CHOSEN,)


def test_only_the_split_is_decoded_but_leaks_are_looked_for_everywhere(
    checkpoint, synth_corpus, synth_cache, monkeypatch
):
    monkeypatch.setattr(RecordingCache, "default", classmethod(lambda _: synth_cache))
    first, *others = (e for e in synth_corpus.entries if e.split == "test")
    leak = replace(first, path=first.path / "never-read", split="train")
    whole = Corpus((first, *others, leak))
    for selected in (whole, whole.where([("split", "test")])):
        found = evaluate_corpus(checkpoint, Judges(selected, whole, {}), "test")
        assert (found.clips, found.stamps) == (24, (LEAKY,))
