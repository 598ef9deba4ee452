"""Bad calibration data is told, or refused, never passed over."""

import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from mmer.calibration.calibrate import calibrate
from mmer.calibration.calibrated import RECORD
from mmer.calibration.samples.finite import NotFiniteError
from mmer.calibration.samples.recording import Recorded, record
from mmer.calibration.samples.survey import survey
from mmer.calibration.samples.suspicion import UselessDataError, of_entries, of_survey, suspicions
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.corpus import Corpus, Entry, write_index
from mmer.edge.pipeline.executor import Item

rng = np.random.default_rng(0)


def entry(label="sad", speaker="ann", name="a.wav", **other):
    return Entry(name, label, "train", speaker, **other)


def window(level=0.3, pictures=None):
    crops = rng.normal(size=(4, 3, 48, 48)) if pictures is None else np.full((4, 3, 48, 48), pictures)
    arrays = {"crops": crops, "samples": level * rng.normal(size=(1, 500))}
    return {name: array.astype("f4") for name, array in arrays.items()}


@dataclass(frozen=True)
class Kept:
    """Windows, and what each graph was given, as a recording of them would tell."""

    kept: list
    given: dict

    @property
    def ids(self):
        return tuple(f"clip {n}" for n in range(len(self.kept)))

    def windows(self, _plan):
        for tensors in self.kept:
            yield {name: [Item(name, lambda part=part: part) for part in parts(name, a)] for name, a in tensors.items()}

    def inputs(self, graph):
        return iter(self.given[graph])


def parts(name, array):
    return list(array) if name == "crops" else [array]


@pytest.fixture
def look(bundle):
    """Return what is suspicious about windows, all else being well."""

    def looked(windows, fresh=None, **graphs):
        given = {name: [{"x": np.ones(1, "f4")}] for name in bundle.manifest.graphs} | graphs
        recorded = Recorded(Kept(windows, given), Kept(fresh or [window()], given))
        clips = [entry("sad", "ann"), entry("happy", "bob")]
        return {found.kind: found.says for found in suspicions(bundle.manifest, clips, recorded)}

    return looked


def test_good_data_is_not_suspected(look):
    assert look([window() for _ in range(8)]) == {}


def test_fewer_than_eight_windows_are_told(look):
    assert look([window() for _ in range(7)]) == {
        "few-samples": "ranges are taken from 7 sample(s), and fewer than 8 leave them to luck"
    }


def test_silence_in_most_windows_is_told(look):
    found = look([window(level=1e-5 if n < 5 else 0.3) for n in range(10)])
    assert found == {"silent": "samples is silent in 5 of 10 samples"}


def test_silence_in_few_windows_is_life(look):
    assert look([window(level=0 if n < 3 else 0.3) for n in range(10)]) == {}


def test_nothing_but_silence_is_refused(look):
    with pytest.raises(UselessDataError, match=r"samples is silent in all of 8 sample\(s\)") as failure:
        look([window(level=1e-5) for _ in range(8)])
    assert failure.value.exit_code == 3


def test_black_pictures_in_most_windows_are_told(look):
    found = look([window(pictures=-4.3 if n < 8 else None) for n in range(10)])
    assert found == {"blank": "crops shows pictures of one colour in 8 of 10 samples"}


def test_nothing_but_black_pictures_is_refused(look):
    with pytest.raises(UselessDataError, match="crops shows pictures of one colour in all of 8"):
        look([window(pictures=-4.3) for _ in range(8)])


def test_windows_without_sound_are_not_silent(look):
    mute = [{name: array for name, array in window().items() if name != "samples"} for _ in range(8)]
    assert look(mute) == {}


def test_copies_are_told(look):
    one = window()
    assert look([one] * 6 + [window() for _ in range(4)]) == {"copies": "5 of 10 samples are copies of others"}


def test_judging_by_what_ranges_are_taken_from_is_told(look):
    windows = [window() for _ in range(8)]
    found = look(windows, fresh=[windows[3], window()])
    assert found["judged-by-the-same"].startswith("1 of 2 judging windows equal")


def test_a_graph_that_saw_nothing_is_told(look):
    found = look([window() for _ in range(8)], sequence=[])
    assert found == {"unseen-graph": "no calibration or judging window gave the graph sequence anything to read"}


def test_nan_in_a_window_is_refused_by_its_name(look):
    broken = window()
    broken["samples"][0, 3] = np.nan
    with pytest.raises(NotFiniteError, match=r"^clip 2: samples holds 1 value"):
        look([window(), window(), broken])


def test_infinity_between_two_graphs_is_refused_by_the_graph(look):
    with pytest.raises(NotFiniteError, match=r"^graph votes, calibration input 2: x holds 1"):
        look([window() for _ in range(8)], votes=[{"x": np.ones(1, "f4")}, {"x": np.full(1, np.inf, "f4")}])


def test_one_label_and_one_speaker_are_told():
    found = {s.kind: s.says for s in of_entries([entry(), entry(name="b.wav")])}
    assert found.keys() == {"one-label", "one-speaker"}
    assert "labelled sad" in found["one-label"]


def test_two_labels_and_speakers_are_well():
    assert list(of_entries([entry(), entry("happy", "bob")])) == []


def test_speakers_that_nobody_named_may_be_many():
    assert [s.kind for s in of_entries([entry("sad", ""), entry("happy", "")])] == []


def made(*arrays):
    return survey((f"sample {n}", {"x": a, "mask": np.ones((1, 4), "f4")}) for n, a in enumerate(arrays))


def test_an_input_of_any_graph_that_never_changes_is_told():
    kinds = [s.says for s in of_survey(made(*(rng.normal(size=(1, 9)) for _ in range(8))))]
    assert kinds == ["mask never changes in 8 of 8 samples"]


def test_samples_of_any_graph_in_which_nothing_changes_are_refused():
    with pytest.raises(UselessDataError, match="x never changes in all of 8"):
        list(of_survey(made(*np.zeros((8, 1, 9), "f4"))))


@pytest.fixture
def one_sided(corpus):
    """Clips of one label and one speaker."""
    first = next(e for e in corpus.entries if e.split == "train")
    return Corpus(
        tuple(e for e in corpus.entries if (e.split, e.label, e.speaker) == ("train", first.label, first.speaker))
    )


def test_a_calibration_keeps_what_was_suspicious(bundle, one_sided, tmp_path):
    settings = CalibrationSettings(samples=2, fresh=1, window_s=1.0, int8_cosine=0.5)
    calibrated = calibrate(bundle, one_sided, settings)
    written = calibrated.save(tmp_path / "bundle")
    kinds = [warning["kind"] for warning in json.loads(written.read(RECORD))["warnings"]]
    assert {"one-label", "one-speaker", "few-samples"} <= set(kinds)
    assert [warning["kind"] for warning in calibrated.to_json(written)["warnings"]] == kinds


def test_the_command_warns_on_standard_error_and_in_its_document(bundle, one_sided, tmp_path):
    write_index(tmp_path / "corpus.csv", one_sided.entries)
    named = [bundle.path, "--data", tmp_path / "corpus.csv", "-o", tmp_path / "out", "--samples", 2, "--fresh", 1]
    code = "from mmer.cli import main; main()"
    run = [sys.executable, "-c", code, "calibrate", *map(str, named), "--json"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    told = [warning["says"] for warning in json.loads(done.stdout)["warnings"]]
    assert "all clips are of one speaker; the ranges of other faces and voices are unknown" in told
    assert done.stderr.splitlines() == [f"warning: {says}" for says in told]


def test_clips_without_a_sound_are_refused(bundle, tmp_path):
    for name in ("a", "b", "c"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(16_000, "f4"), 8000)
    silent = Corpus(tuple(Entry(tmp_path / f"{n}.wav", "sad", "train", n) for n in "abc"))
    with pytest.raises(UselessDataError, match="samples is silent in all"):
        calibrate(bundle, silent, CalibrationSettings(samples=4, fresh=2, window_s=1.0))


def test_nan_in_a_sound_file_does_not_reach_the_graphs(bundle, corpus, tmp_path):
    sound = np.sin(np.arange(16_000) / 5).astype("f4")
    sound[100:200] = np.nan
    soundfile.write(tmp_path / "nan.wav", sound, 8000, subtype="FLOAT")
    entries = (*corpus.part("train").entries, Entry(tmp_path / "nan.wav", "sad", "train", "x"))
    settings = CalibrationSettings(samples=9, fresh=3, window_s=1.0)
    recorded = record(bundle, Corpus(entries), tmp_path / "r", settings, lambda *_: None)
    assert any("nan.wav" in name for name in recorded.calibration.ids + recorded.fresh.ids)
    assert "silent" not in {found.kind for found in suspicions(bundle.manifest, entries, recorded)}
