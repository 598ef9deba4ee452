"""Sets are compared on the labels that all have, and on people that no training has met."""

import json
from dataclasses import replace

import pytest

from mmer import cli
from mmer.edge.bench.folder import write_matrix
from mmer.edge.bench.matrix import SharedSpeakersError, matrix_json, matrix_lines
from mmer.edge.corpus import Corpus, write_index
from mmer.edge.errors import SettingError
from mmer.training.across import Sets, named, train_and_test
from mmer.training.cache import RecordingCache
from mmer.training.usual import Wish

WISH = Wish("cafes", "tiny", ("epochs=1",), modality="audio")


@pytest.fixture
def corpora(synth_corpus, synth_cache, monkeypatch):
    """A set of three labels, and one of other people that lacks the first and has a third of the clips."""
    monkeypatch.setattr(RecordingCache, "default", classmethod(lambda _: synth_cache))
    kept = [entry for entry in synth_corpus.entries if entry.label != "neutral"][::3]
    others = Corpus(tuple(replace(entry, speaker=f"other {entry.speaker}") for entry in kept))
    return {"first": synth_corpus, "second": others}


def told(*_):
    """Nobody listens."""


def test_every_training_is_tested_on_every_set(corpora):
    matrix = train_and_test(Sets(corpora, corpora), WISH, told)
    assert [(c.train_on, c.test_on) for c in matrix.cells] == [
        ("first", "first"),
        ("first", "second"),
        ("second", "first"),
        ("second", "second"),
    ]
    assert (matrix.labels, [cell.stamps for cell in matrix.cells]) == (("happy", "sad"), [()] * 4)
    tested = {side.name: side.clips for side in matrix.test_on}
    assert all(cell.found.scores.clips == tested[cell.test_on] for cell in matrix.cells)
    assert matrix.train_on[0].left_out == {"neutral": 24}


def test_the_document_is_strict_json_and_the_text_keeps_names_apart(corpora, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    matrix = train_and_test(Sets({"a": corpora["first"]}, {"b": corpora["second"]}), WISH, told)
    write_matrix(tmp_path / "matrix", matrix)
    document = json.loads((tmp_path / "matrix" / "summary.json").read_text())
    assert document == json.loads(json.dumps(matrix_json(matrix), allow_nan=False))
    assert (tmp_path / "matrix" / "matrix.png").is_file()
    lines = matrix_lines(matrix)
    assert "audio alone" in lines[0]
    assert "24 neutral of a" in lines[1]
    assert "averaged one-vs-rest accuracy" in lines[2]


def test_a_noisy_copy_with_equal_names_and_rows_is_another_set(corpora, tmp_path):
    clean = Corpus(tuple(replace(entry, transcript="") for entry in corpora["second"].entries))
    copies = Corpus(tuple(replace(entry, path=tmp_path / entry.path.name) for entry in clean.entries))
    for copy in copies.entries:
        copy.path.write_bytes(clean.entries[0].path.read_bytes())
    assert copies.digest == clean.digest
    first, second = train_and_test(Sets({"clean": clean}, {"clean": clean, "copies": copies}), WISH, told).cells
    assert first.found.scores.auc != 0.5
    assert second.found.scores.auc == 0.5


def test_equal_seeds_give_equal_figures(corpora):
    sets = Sets({"b": corpora["second"]}, {"b": corpora["second"]})
    once, again = (train_and_test(sets, WISH, told).cells[0].found for _ in range(2))
    assert (once.confusion, once.scores.auc) == (again.confusion, again.scores.auc)


def test_a_shared_speaker_is_refused_before_anything_is_decoded(corpora):
    theirs = [entry for entry in corpora["first"].entries if entry.split == "train"]
    tested = Corpus(tuple(replace(entry, split="test", path=entry.path / "never read") for entry in theirs))
    with pytest.raises(SharedSpeakersError, match="of one are in the test of two"):
        train_and_test(Sets({"one": corpora["first"]}, {"two": tested}), WISH, told)


def test_a_shared_speaker_that_is_allowed_stamps_the_figures(corpora):
    tested = Corpus(tuple(replace(e, split="test") for e in corpora["first"].entries if e.split == "train"))
    sets = Sets({"one": corpora["first"]}, {"two": tested}, leaky=True)
    assert train_and_test(sets, WISH, told).cells[0].stamps == ("LEAKY",)


def test_sets_without_two_common_labels_are_refused(corpora):
    sad = corpora["second"].where([("label", "sad")])
    with pytest.raises(SettingError, match="have sad in common"):
        train_and_test(Sets({"a": corpora["first"]}, {"b": sad}), WISH, told)


def test_names_are_as_short_as_they_can_be(tmp_path):
    paths = [
        tmp_path / name for name in ("a/corpus.csv", "b/corpus.csv", "c.csv", "d/b/corpus.jsonl", "e/b/corpus.csv")
    ]
    assert named(paths[:3]) == ["a/corpus", "b/corpus", "c"]
    assert named(paths[3:]) == [str(path) for path in paths[3:]]


def test_the_command_trains_and_tests(corpora, tmp_path, capsys):
    for name, corpus in corpora.items():
        write_index(tmp_path / f"{name}.csv", corpus.entries)
    paths = {"train_on": [tmp_path / "second.csv"], "test_on": [tmp_path / "first.csv"]}
    cli.evaluate("cafes", preset="tiny", changes=["epochs=1"], modality="audio", as_json=True, quiet=True, **paths)
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["cells"][0]["train_on"]) == ("mmer.eval.matrix/1", "second")
    assert document["seed"] == 42


def test_the_command_wants_data_or_both_sides(tmp_path):
    for wrong in ({}, {"train_on": [tmp_path]}, {"data": [tmp_path], "train_on": [tmp_path], "test_on": [tmp_path]}):
        with pytest.raises(SettingError, match="--train-on and --test-on"):
            cli.evaluate("cafes", **wrong)


def test_the_command_refuses_options_of_the_other_form_by_name(tmp_path):
    sides = {"train_on": [tmp_path], "test_on": [tmp_path]}
    with pytest.raises(SettingError, match="--subsets: not with --train-on"):
        cli.evaluate("cafes", subsets=True, **sides)
    trained = {"preset": "tiny", "modality": "all", "changes": ["epochs=1"], "seed": 0, "allow_leaky_split": True}
    with pytest.raises(SettingError, match="--preset, --modality, --set, --seed, --allow-leaky-split: not with --data"):
        cli.evaluate(tmp_path, data=[tmp_path], **trained)
