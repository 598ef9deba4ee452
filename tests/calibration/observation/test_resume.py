import json

import numpy as np
import pytest

from mmer.calibration.calibrate import Earlier, calibrate
from mmer.calibration.calibrated import RECORD
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.judgement import judge
from mmer.calibration.judgement.race import Race
from mmer.calibration.observation.memory import PassError, Passes
from mmer.calibration.observation.observe import observe
from mmer.calibration.observation.resume import (
    OtherCalibrationError,
    ProgressError,
    claim_progress,
    progress_path,
    workshop,
)
from mmer.calibration.samples import samples
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.errors import SettingError

SETTINGS = CalibrationSettings(samples=6, fresh=2, window_s=1.0, int8_cosine=0.9)


class KilledError(Exception):
    pass


@pytest.fixture(autouse=True)
def _same_race(monkeypatch):
    monkeypatch.setattr(judge, "race", lambda *_: Race(2.0, 0.1, 40))


@pytest.fixture(scope="module")
def whole(bundle, corpus, tmp_path_factory):
    """The file that an uninterrupted calibration writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "race", lambda *_: Race(2.0, 0.1, 40))
        return calibrate(bundle, corpus, SETTINGS).save(tmp_path_factory.mktemp("whole") / "bundle")


def killed_after(count, phase):
    """A progress that ends the program once it has heard so much of a phase."""
    heard = []

    def progress(title, _done, _of):
        heard.append(title)
        if heard.count(phase) == count:
            raise KilledError

    return progress


@pytest.mark.parametrize(
    "killed",
    [(3, "calibration windows"), (1, "fresh windows"), (2, "ranges of faces"), (1, "graphs")],
)
def test_an_interrupted_calibration_goes_on_to_the_same_bytes(whole, bundle, corpus, tmp_path, killed):
    earlier = Earlier(tmp_path / "out.progress")
    with pytest.raises(KilledError):
        calibrate(bundle, corpus, SETTINGS, killed_after(*killed), earlier)
    resumed = calibrate(bundle, corpus, SETTINGS, earlier=earlier).save(tmp_path / "out")
    assert resumed.digest == whole.digest
    assert resumed.read(RECORD) == whole.read(RECORD)


def test_clips_that_are_recorded_are_not_watched_again(bundle, corpus, tmp_path, monkeypatch):
    earlier = Earlier(tmp_path / "out.progress")
    with pytest.raises(KilledError):
        calibrate(bundle, corpus, SETTINGS, killed_after(1, "graphs"), earlier)

    def watched_again(*_):
        raise AssertionError

    monkeypatch.setattr(samples.Recorder, "_usable", watched_again)
    assert calibrate(bundle, corpus, SETTINGS, earlier=earlier).judgements


def test_a_line_of_the_journal_that_is_not_whole_counts_for_nothing(whole, bundle, corpus, tmp_path):
    folder = tmp_path / "out.progress"
    with pytest.raises(KilledError):
        calibrate(bundle, corpus, SETTINGS, killed_after(4, "calibration windows"), Earlier(folder))
    journal = folder / "calibration" / "journal.jsonl"
    journal.write_text(journal.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    resumed = calibrate(bundle, corpus, SETTINGS, earlier=Earlier(folder)).save(tmp_path / "out")
    assert resumed.digest == whole.digest


def test_passes_that_were_made_are_not_made_again(transformer, draw, tmp_path, monkeypatch):
    monkeypatch.setattr("mmer.calibration.observation.passes.TOGETHER", 1)
    network, inputs = prepared(transformer), draw(4, 1, None, 32)
    heard = []

    def step(done, _of):
        heard.append(done)
        if len(heard) == 11:
            raise KilledError

    with pytest.raises(KilledError):
        observe(network, lambda: inputs, memory=Passes(tmp_path), step=step)
    assert len(list(tmp_path.glob("*.json"))) == 2
    kept = (tmp_path / "0000.json").stat().st_mtime_ns
    resumed = observe(network, lambda: inputs, memory=Passes(tmp_path))
    assert (tmp_path / "0000.json").stat().st_mtime_ns == kept
    for name, statistics in observe(network, lambda: inputs).statistics.items():
        np.testing.assert_array_equal(resumed.statistics[name].plain.counts, statistics.plain.counts)


def test_a_pass_that_is_damaged_is_named(tmp_path):
    (tmp_path / "0000.json").write_text('{"x": {"count": 1}}')
    with pytest.raises(PassError, match=r"0000\.json: damaged"):
        Passes(tmp_path).recall()


def test_other_settings_are_refused_by_name(tmp_path):
    path = tmp_path / "out.progress"
    with workshop(path, {"corpus": "a", "settings": {"seed": 0}}):
        pass
    with (
        pytest.raises(OtherCalibrationError, match="differs in settings"),
        workshop(path, {"corpus": "a", "settings": {"seed": 1}}),
    ):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_folder_that_cannot_be_read_is_refused(tmp_path, content):
    (tmp_path / "about.json").write_text(content)
    with pytest.raises(ProgressError), workshop(tmp_path, {}):
        pass


def test_an_interrupted_calibration_is_not_replaced_without_a_word(tmp_path):
    output = tmp_path / "out"
    assert not claim_progress(output, resume=True, exist_ok=False)
    with workshop(progress_path(output), {}):
        pass
    assert claim_progress(output, resume=True, exist_ok=False)
    with pytest.raises(SettingError, match="add --resume"):
        claim_progress(output, resume=False, exist_ok=False)
    assert not claim_progress(output, resume=False, exist_ok=True)
    assert not progress_path(output).exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "out.progress").mkdir()
    with pytest.raises(SettingError, match="none of ours"):
        claim_progress(tmp_path / "out", resume=False, exist_ok=True)


def test_the_record_holds_what_was_seen(whole, bundle):
    record = json.loads(whole.read(RECORD))
    found = record["statistics"]["sequence"]
    assert len(found["digest"]) == 64
    assert set(found["tensors"]) >= set(record["ranges"]["sequence"])
    assert record["statistics"].keys() == bundle.manifest.graphs.keys()
