import numpy as np
import pytest

from mmer.calibration.samples.recording import record
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.corpus import Corpus
from mmer.edge.errors import NothingToSeeError

SETTINGS = CalibrationSettings(samples=6, fresh=2, window_s=1.0)


@pytest.fixture(scope="module")
def heard():
    return []


@pytest.fixture(scope="module")
def recorded(bundle, corpus, tmp_path_factory, heard):
    return record(bundle, corpus, tmp_path_factory.mktemp("one"), SETTINGS, lambda *told: heard.append(told))


def test_as_many_windows_are_recorded_as_were_asked_for(recorded, heard):
    assert (len(recorded.calibration.ids), len(recorded.fresh.ids)) == (6, 2)
    assert heard[5] == ("calibration windows", 6, 6)
    assert heard[-1] == ("fresh windows", 2, 2)


def test_windows_are_named_by_clip_and_time_and_no_clip_serves_twice(recorded):
    clips = [{name.split()[0] for name in part.ids} for part in (recorded.calibration, recorded.fresh)]
    assert clips[0].isdisjoint(clips[1])
    assert all(name.split()[0].endswith(".mp4") for name in recorded.calibration.ids)
    assert "0.00-1.00 s" in recorded.calibration.ids[0]


def test_each_graph_is_recorded_with_what_it_was_given(recorded, bundle):
    for name, graph in bundle.manifest.graphs.items():
        given = list(recorded.calibration.inputs(name))
        assert given
        assert all(sample.keys() == {spec.name for spec in graph.inputs} for sample in given)
    assert {sample["features"].shape[2] for sample in recorded.calibration.inputs("sequence")} == {576}


def test_recorded_inputs_can_be_read_again(recorded):
    first, second = (list(recorded.calibration.inputs("sequence")) for _ in range(2))
    np.testing.assert_array_equal(first[0]["features"], second[0]["features"])


def test_windows_come_back_as_the_plan_reads_them(recorded, bundle):
    values = next(recorded.fresh.windows(bundle.manifest.plan))
    assert values["crops"][0].make().shape == (3, 48, 48)
    assert values["samples"][0].make().shape[0] == 1


def test_the_digest_is_that_of_the_numbers(recorded, bundle, corpus, tmp_path):
    again = record(bundle, corpus, tmp_path / "again", SETTINGS, lambda *_: None)
    other = CalibrationSettings(samples=6, fresh=2, window_s=1.0, seed=3)
    others = record(bundle, corpus, tmp_path / "other", other, lambda *_: None)
    assert again.calibration.digest == recorded.calibration.digest
    assert again.calibration.ids == recorded.calibration.ids
    assert others.calibration.digest != recorded.calibration.digest
    assert recorded.fresh.digest != recorded.calibration.digest


def test_a_stretch_of_a_clip_gives_windows_of_that_stretch(bundle, corpus, tmp_path):
    from dataclasses import replace

    train = [entry for entry in corpus.entries if entry.split == "train"]
    stretches = Corpus(tuple(replace(entry, start_s=1.0, end_s=2.0) for entry in train))
    found = record(bundle, stretches, tmp_path, CalibrationSettings(samples=3, fresh=1), lambda *_: None)
    start_s, end_s = (float(part) for part in found.calibration.ids[0].split()[1].split("-"))
    assert start_s == 1.0
    assert 1.7 < end_s < 2.4


def test_clips_without_anything_to_look_at_are_refused(bundle, corpus, tmp_path, monkeypatch):
    from mmer.edge.pipeline.materials import Materials

    monkeypatch.setattr(Materials, "of_window", lambda *_: None)
    with pytest.raises(NothingToSeeError, match="none of 6 clip"):
        record(bundle, corpus, tmp_path, SETTINGS, lambda *_: None)
