"""A measurement holds every form of a model beside the reference, and says what it rests on."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmer.edge.bench.answers import rotated
from mmer.edge.bench.bench import bench
from mmer.edge.bench.contender import contenders
from mmer.edge.bench.document import bench_json
from mmer.edge.bench.judges import Judges
from mmer.edge.bench.report import bench_lines
from mmer.edge.bench.settings import BenchSettings
from mmer.edge.corpus import Corpus
from mmer.edge.errors import DataError, NothingToSeeError, SettingError
from mmer.edge.pipeline.timeline import WindowSettings

DESIGNED = {
    *("name", "precision", "backend", "graphs", "reference", "accuracy", "uar", "macro_f1", "weighted_f1"),
    *("ovr_accuracy", "auc", "ece", "ci95", "versus_reference", "latency_ms", "end_to_end_ms", "rtf"),
    *("cold_start_ms", "stages", "peak_rss_mb", "size_mb"),
}


@pytest.fixture(scope="module")
def document(measured):
    return json.loads(json.dumps(bench_json(measured), allow_nan=False))


def test_each_way_to_run_is_a_row_once(document):
    named = [(row["name"], row["precision"], row["reference"]) for row in document["rows"]]
    assert named == [("fp32", "fp32", True), ("auto", "1 fp32 + 1 int8.ort", False)]


def test_the_document_has_the_designed_keys(document):
    assert document["schema"] == "mmer.bench/1"
    assert document.keys() == {"schema", "machine", "bundle", "data", "rows", "noise"}
    assert all(row.keys() >= DESIGNED for row in document["rows"])


def test_a_row_says_which_graph_runs_in_which_precision(document):
    graphs = document["rows"][1]["graphs"]
    assert {name: how["precision"] for name, how in graphs.items()} == {"level": "fp32", "votes": "int8.ort"}


def test_the_float_model_hears_every_level(document):
    assert [document["rows"][0][name] for name in ("accuracy", "uar", "ovr_accuracy")] == [1.0, 1.0, 1.0]


def test_a_wrong_variant_shows_in_every_figure(document):
    row = document["rows"][1]
    versus = row["versus_reference"]
    assert (row["uar"], versus["difference"], versus["agreement_clips"], versus["agreement_windows"]) == (0, -100, 0, 0)
    assert versus["mcnemar_p"] == pytest.approx(2 / 2**12)
    assert row["ovr_accuracy"] == pytest.approx(1 / 3)


def test_all_windows_of_all_clips_are_compared(document):
    assert [document["data"][name] for name in ("clips", "windows", "speakers")] == [12, 36, 2]


def test_a_clip_with_nothing_to_look_at_is_told_and_counts_in_no_row(document, measured):
    (unanswered,) = document["data"]["unanswered"]
    assert unanswered.endswith("short.wav")
    assert [row["clips"] for row in document["rows"]] == [12, 12]
    assert any("1 clips hold nothing" in line for line in bench_lines(measured))


def test_times_are_measured_in_order(document):
    for row in document["rows"]:
        for times in (row["latency_ms"], row["end_to_end_ms"], row["stages"]["votes"], row["stages"]["decode"]):
            assert 0 < times["p50"] <= times["p90"] <= times["p95"] <= times["p99"] <= times["max"]
        assert row["rtf"] > 0


def test_stages_that_never_ran_are_null(document):
    assert document["rows"][0]["stages"]["faces"] is None


def test_a_fresh_process_tells_memory_and_the_first_answer(document):
    for row in document["rows"]:
        assert row["cold_start_ms"] > 0
        assert row["peak_rss_mb"] > 10
        assert row["decoder_rss_mb"] > 10


def test_the_noise_is_that_of_the_reference_against_itself(document):
    ratio = document["noise"]["aa_ratio"]
    assert document["noise"]["windows"] == 36
    assert 0 < ratio["p5"] <= ratio["p50"] <= ratio["p95"]


def test_figures_that_were_not_asked_for_are_null_with_a_reason(measure, corpus):
    row = bench_json(measure(corpus, clips=3))["rows"][0]
    assert (row["end_to_end_ms"], row["rtf"], row["cold_start_ms"], row["peak_rss_mb"]) == (None, None, None, None)
    assert row["stages"].keys() == {"inputs", "level", "votes"}
    assert (row["end_to_end_note"], row["start_note"]) == ("not asked for: 0 seconds", "not asked for: 0 starts")


def test_a_model_beside_itself_differs_by_nothing(bundle, corpus):
    float_one = contenders(bundle, 1)[0]
    settings = BenchSettings(seconds=0, starts=0)
    twice = bench(bundle, (float_one, float_one), Judges(corpus, corpus, {}), settings, lambda *_: None)
    versus = bench_json(twice)["rows"][1]["versus_reference"]
    assert (versus["difference"], versus["ci95"], versus["mcnemar_p"]) == (0, [0, 0], 1.0)
    assert (versus["agreement_clips"], versus["agreement_windows"]) == (1, 1)


def test_text_for_people_keeps_the_two_accuracies_apart(measured):
    text = "\n".join(bench_lines(measured))
    assert "  accuracy  " in text
    assert "avg 1-vs-rest acc" in text
    assert "reference: fp32" in text
    assert "auto: level fp32, votes int8.ort" in text


def test_a_speaker_in_two_splits_is_stamped(measure, corpus):
    first, *others = corpus.entries
    document = bench_json(measure(Corpus((replace(first, split="train"), *others)), clips=2))
    assert document["data"]["stamps"] == ["LEAKY"]


def test_selecting_the_split_alone_does_not_hide_a_leak(measure, corpus):
    whole = Corpus((*corpus.entries, replace(corpus.entries[0], split="train")))
    measured = measure(corpus, whole, clips=2)
    assert bench_json(measured)["data"]["stamps"] == ["LEAKY"]
    assert "LEAKY" in next(bench_lines(measured))


def test_a_speaker_from_the_training_is_stamped(measure, corpus):
    data = bench_json(measure(corpus, provenance={"speakers": {"train": ["a"]}}, clips=2))["data"]
    assert (data["stamps"], data["training_speakers"]) == (["LEAKY"], "named")


def test_fewer_clips_are_drawn_by_the_seed(measure, corpus):
    drawn = [bench_json(measure(corpus, clips=3, seed=seed))["rows"][0]["confusion"] for seed in (1, 1)]
    assert np.sum(drawn[0]) in (2, 3)
    assert drawn[0] == drawn[1]


def test_a_label_that_the_bundle_does_not_have_is_refused_with_the_way_out(measure, corpus):
    strange = Corpus((replace(corpus.entries[0], label="calm"), *corpus.entries))
    with pytest.raises(SettingError, match=r"no label calm: .*--where label=neutral"):
        measure(strange)


def test_a_split_that_is_not_there_is_refused(measure, corpus):
    with pytest.raises(SettingError, match="there are: test"):
        measure(corpus, split="dev")


def test_windows_longer_than_the_model_hears_are_refused(measure, corpus):
    with pytest.raises(SettingError, match="hears 4 s"):
        measure(corpus, windows=WindowSettings(length_s=6))


def test_a_clip_that_cannot_be_read_is_named(measure, corpus, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"broken\.wav"):
        measure(Corpus((replace(corpus.entries[0], path=tmp_path / "broken.wav"),)))


def test_clips_without_anything_to_look_at_are_refused(measure, corpus):
    with pytest.raises(NothingToSeeError, match="none of 1 clip"):
        measure(Corpus(corpus.entries[-1:]))


@pytest.mark.parametrize("wrong", [{"clips": 0}, {"seconds": -1}, {"starts": -1}, {"threads": 0}, {"seed": -1}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError):
        BenchSettings(**wrong)


def test_every_place_is_first_equally_often():
    orders = [rotated(range(3), turn) for turn in range(6)]
    assert sorted(order[0] for order in orders) == [0, 0, 1, 1, 2, 2]
    assert all(sorted(order) == [0, 1, 2] for order in orders)
