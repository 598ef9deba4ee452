import json
from dataclasses import replace

import numpy as np
import pytest

from mmer.calibration.calibrate import calibrate
from mmer.calibration.calibrated import RECORD
from mmer.calibration.judgement import judge
from mmer.calibration.judgement.check import check
from mmer.calibration.judgement.race import Race
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.backends.ort import OrtSession
from mmer.edge.backends.targets import ort_targets
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.verify import verify
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.doctor.examine import processor
from mmer.edge.errors import OutputExistsError, SettingError
from mmer.edge.verify.record import write_record

EASY = CalibrationSettings(samples=8, fresh=3, window_s=1.0, int8_cosine=0.9)
FAST, SLOW = Race(2.0, 0.1, 40), Race(0.8, 0.1, 40)
HERE = ort_targets(processor().features)
INT8 = f"int8.{HERE[0]}"


@pytest.fixture(scope="module")
def run(bundle, corpus):
    """Calibrates with a race of a stated outcome."""

    def calibrated(outcome, settings=EASY):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge, "race", lambda *_: outcome)
            return calibrate(bundle, corpus, settings, lambda *_: None)

    return calibrated


@pytest.fixture(scope="module")
def fast(run):
    return run(FAST)


@pytest.fixture(scope="module")
def written(fast, tmp_path_factory):
    return fast.save(tmp_path_factory.mktemp("out") / "bundle")


def rows(calibrated):
    return {row["graph"]: row for row in calibrated.to_json(calibrated.source)["rows"]}


def test_a_graph_that_is_right_and_faster_runs_in_int8(fast):
    assert {name: row["precision"] for name, row in rows(fast).items()} == {
        "faces": INT8,
        "sequence": INT8,
        "votes": "fp32",
    }
    assert rows(fast)["sequence"]["reason"] == "right, and faster than float here"


def test_a_graph_that_makes_the_logits_stays_float_and_says_so(fast):
    assert rows(fast)["votes"]["reason"] == "it makes the logits, which stay float"


def test_slower_stays_float_and_the_table_says_so(run):
    calibrated = run(SLOW)
    assert {row["precision"] for row in rows(calibrated).values()} == {"fp32"}
    assert "not faster than float: 0.80 x" in rows(calibrated)["sequence"]["reason"]
    assert any("not faster than float" in line for line in calibrated.lines(calibrated.source))
    assert calibrated.chosen.same_label == 1
    assert calibrated.chosen.worst_error == 0


def test_wrong_stays_float_and_the_table_says_so(run):
    calibrated = run(FAST, CalibrationSettings(samples=8, fresh=3, window_s=1.0, int8_cosine=1.0))
    assert {row["precision"] for row in rows(calibrated).values()} == {"fp32"}
    assert rows(calibrated)["sequence"]["reason"].startswith("centred cosine 0.")


def test_the_bundle_holds_what_was_kept_and_computes_its_golden_values(written, fast):
    kept = {name: set(graph.files) for name, graph in written.manifest.graphs.items()}
    assert kept["sequence"] == {"fp32", "fp16", INT8}
    assert INT8 not in kept["votes"]
    verify(Bundle.open(written.path), OrtSession.open).require()
    assert written.manifest.files[f"graphs/sequence.{INT8}.onnx"].size == rows(fast)["sequence"]["int8"]["bytes"]


def test_each_form_has_golden_outputs_of_its_own_and_little_room(written):
    exact, own = written.golden("sequence"), written.golden("sequence", INT8)
    assert [case.inputs.keys() for case in own] == [case.inputs.keys() for case in exact]
    assert np.abs(own[0].outputs["video"] - exact[0].outputs["video"]).max() > 0
    assert written.manifest.graphs["sequence"].files[INT8].tolerance < 0.2


def test_a_kernel_that_is_wrong_is_told_from_one_that_rounds(written, tmp_path):
    from mmer.edge.pipeline.loading import Backend, load
    from mmer.edge.pipeline.trust import Trust

    class Saturating(OrtSession):
        def run(self, inputs):
            return {name: values * 0.8 for name, values in super().run(inputs).items()}

    quantised = written.graph("sequence", INT8)
    backend = Backend("ort", lambda content: (Saturating if content == quantised else OrtSession).open(content), HERE)
    loaded = load(written, "auto", backend, Trust(tmp_path, "here")).loaded["sequence"]
    assert loaded.precision == "fp32"
    assert "computes it wrongly" in loaded.fallback


def test_the_notice_stays_with_the_model(written):
    assert written.manifest.notice == "a toy"


def test_the_runtime_takes_the_int8_graph(written, tmp_path):
    from mmer.edge.pipeline.loading import Backend, load
    from mmer.edge.pipeline.trust import Trust

    loaded = load(written, "auto", Backend("ort", OrtSession.open, HERE), Trust(tmp_path, "here")).loaded
    assert loaded["sequence"].precision == INT8
    assert loaded["sequence"].fallback is None


def test_the_bundle_says_how_it_came_about(written, fast, corpus, bundle):
    record = json.loads(written.read(RECORD))
    assert record["schema"] == "mmer.calibration/1"
    assert record["corpus"] == corpus.digest
    assert record["source"] == bundle.digest
    assert record["settings"]["split"] == "train"
    assert len(record["samples"]["calibration"]["ids"]) == record["samples"]["calibration"]["windows"] == 8
    assert len(record["samples"]["calibration"]["digest"]) == 64
    low, high = record["ranges"]["sequence"]["features.flat"]
    assert low < 0 < high
    assert record["rows"] == fast.to_json(written)["rows"]
    assert written.manifest.provenance["calibration"]["corpus"] == corpus.digest


def test_calibrating_again_replaces_what_there_was(written, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(judge, "race", lambda *_: SLOW)
    again = calibrate(written, corpus, EASY, lambda *_: None).save(tmp_path / "again")
    assert set(again.manifest.graphs["sequence"].files) == {"fp32", "fp16"}
    assert not any("int8" in name for name in again.manifest.files)


def test_what_was_verified_of_earlier_forms_does_not_speak_for_these(fast, written, tmp_path):
    copied = write_bundle(tmp_path / "b", written.manifest, {n: written.read(n) for n in written.manifest.files})
    verified = write_record(copied, {"windows": 3}, {"auto": {"windows": 3}})
    again = replace(fast, source=verified).save(tmp_path / "again")
    assert "agreement" not in again.manifest.metrics
    assert "verification.json" not in again.manifest.files
    assert again.manifest.notice == "a toy"


def test_labels_and_logits_of_the_whole_plan_are_compared(fast):
    assert fast.chosen == fast.quantised
    assert fast.chosen.windows == 3
    assert 0 < fast.chosen.mean_error <= fast.chosen.worst_error < 1


def test_an_output_that_exists_is_refused(fast, written):
    with pytest.raises(OutputExistsError):
        fast.save(written.path)


@pytest.mark.parametrize(
    "wrong", [{"samples": 0}, {"fresh": 0}, {"method": "guess"}, {"int8_cosine": 2.0}, {"seed": -1}]
)
def test_settings_that_cannot_be_used_are_refused(wrong):
    with pytest.raises(SettingError):
        CalibrationSettings(**wrong)


def test_a_form_that_overflows_on_judging_windows_is_told_and_the_bundle_is_still_written(run, monkeypatch, tmp_path):
    def overflown(*arguments):
        return replace(check(*arguments), error=float("inf"))

    monkeypatch.setattr(judge, "check", overflown)
    calibrated = run(FAST)
    record = json.loads(calibrated.save(tmp_path / "bundle").read(RECORD))
    assert {row["fp16"]["worst_error"] for row in record["rows"]} == {None}


@pytest.mark.parametrize("count", [2, 13, 70, 95, 96, 97])
def test_no_sample_by_which_layers_are_chosen_is_one_that_levels_are_made_from(count):
    made_from, tried = judge._dealt(lambda: range(count))
    assert not set(made_from()) & set(tried)
    assert tried
