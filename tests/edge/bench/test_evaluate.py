"""A bundle is judged by the answers that it gives to windows, as the bench judges it."""

import json

import pytest

from mmer import cli
from mmer.edge.bench.evaluate import evaluate_bundle
from mmer.edge.bench.judges import Judges
from mmer.edge.bench.verdict import ALL, SUBSETS, report_json, report_lines
from mmer.edge.corpus import NO_MEDIA, Corpus, Entry, write_index
from mmer.edge.errors import SettingError
from mmer.edge.shipped import BUNDLE


@pytest.fixture(scope="module")
def judges(corpus):
    return Judges(corpus, corpus, {})


@pytest.fixture(scope="module")
def report(bundle, judges):
    return evaluate_bundle(bundle, judges, "test", (ALL, "audio", "video+text"))


def test_it_agrees_with_the_bench(report, measured):
    auto = next(row for row in measured.rows if row.contender.name == "auto")
    assert report.subsets[ALL].confusion == auto.evaluation.confusion
    assert report.subsets[ALL].intervals == auto.evaluation.intervals


def test_a_clip_without_a_window_is_not_counted(report):
    assert (report.clips, report.subsets[ALL].scores.clips) == (13, 12)


def test_a_set_of_modalities_that_no_clip_has_gives_no_figures(report):
    assert report.subsets["audio"].confusion == report.subsets[ALL].confusion
    assert report.subsets["video+text"] is None


def test_the_report_says_what_an_answer_is(report):
    assert "windows of 4 s" in report_lines(report)[0]
    document = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert (document["schema"], "windows" in document["protocol"]) == ("mmer.eval/1", True)


def test_a_leaking_speaker_is_told_though_the_split_alone_is_selected(bundle, corpus):
    learnt = Entry(corpus.entries[0].path, "sad", "train", corpus.entries[0].speaker)
    judges = Judges(corpus, Corpus((*corpus.entries, learnt)), {})
    assert evaluate_bundle(bundle, judges, "test").stamps == ("LEAKY",)


def test_an_unknown_set_of_modalities_is_refused(bundle, judges):
    with pytest.raises(SettingError, match="smell"):
        evaluate_bundle(bundle, judges, "test", ("smell",))


def test_words_alone_are_judged_by_the_command(tmp_path, capsys):
    said = [("happy", "what a wonderful day"), ("sad", "she cried all night"), ("sad", "i miss him so")]
    entries = [Entry(NO_MEDIA, label, "test", "", transcript=words) for label, words in said]
    write_index(tmp_path / "words.csv", entries)
    cli.evaluate(BUNDLE, data=[tmp_path / "words.csv"], subsets=True, as_json=True, quiet=True)
    found = json.loads(capsys.readouterr().out)["subsets"]
    assert found.keys() == set(SUBSETS)
    assert {name for name, figures in found.items() if figures is None} == {"video+audio", "video", "audio"}
    assert found["text"]["scores"]["clips"] == 3


def test_the_name_of_a_model_has_to_be_trained_first(tmp_path):
    with pytest.raises(SettingError, match=r"cafes: no such checkpoint or bundle; .* --train-on and --test-on"):
        cli.evaluate(tmp_path / "cafes", data=[tmp_path / "words.csv"])
