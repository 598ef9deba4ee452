"""A calibration for several targets at once: each form is judged by what can judge it here."""

import pytest

from mmer.calibration.calibrate import calibrate
from mmer.calibration.judgement import judge
from mmer.calibration.judgement.engines import has_openvino
from mmer.calibration.judgement.race import Race
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.backends.ort import OrtSession
from mmer.edge.backends.targets import ort_targets
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.verify import verify
from mmer.edge.doctor.examine import processor
from mmer.edge.errors import SettingError
from mmer.edge.pipeline.loading import Backend, load
from mmer.edge.pipeline.trust import Trust

HERE = ort_targets(processor().features)
ELSEWHERE = ("arm", "tensorrt") if "arm" not in HERE else ("tensorrt",)
ASKED = (*ELSEWHERE, *HERE, *(("openvino",) if has_openvino() else ()))


@pytest.fixture(scope="module")
def run(bundle, corpus):
    """Calibrates for targets, with a race that any form wins or loses; returns what was found and who raced."""

    def calibrated(targets, speed):
        raced = []

        def race(reference, rival, _inputs):
            raced.append((type(reference).__name__, type(rival).__name__))
            return Race(speed, 0.1, 40)

        settings = CalibrationSettings(samples=8, fresh=3, window_s=1.0, int8_cosine=0.9, targets=targets)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge, "race", race)
            return calibrate(bundle, corpus, settings), raced

    return calibrated


@pytest.fixture(scope="module")
def every(run):
    return run(ASKED, 2.0)


@pytest.fixture(scope="module")
def written(every, tmp_path_factory):
    return every[0].save(tmp_path_factory.mktemp("targets") / "bundle")


def judgement(calibrated, graph="sequence"):
    return next(one for one in calibrated.judgements if one.graph == graph)


def test_each_target_has_a_file_with_golden_outputs_that_it_computes(written):
    assert set(written.manifest.graphs["sequence"].files) == {"fp32", "fp16", *(f"int8.{name}" for name in ASKED)}
    assert {f"graphs/sequence.int8.{name}.onnx" for name in ASKED} <= {*written.manifest.files}
    assert {f"golden/sequence.int8.{name}.npz" for name in ASKED} <= {*written.manifest.files}
    verify(Bundle.open(written.path), OrtSession.open).require()


def test_the_graph_that_makes_the_logits_is_in_integers_for_no_target(written):
    assert set(written.manifest.graphs["votes"].files) <= {"fp32", "fp16"}


def test_the_graph_runs_in_the_best_form_for_this_processor(every, written, tmp_path):
    assert judgement(every[0]).precision == f"int8.{HERE[0]}"
    loaded = load(written, "auto", Backend("ort", OrtSession.open, HERE), Trust(tmp_path, "here")).loaded
    assert (loaded["sequence"].precision, loaded["sequence"].fallback) == (f"int8.{HERE[0]}", None)


def test_forms_for_other_machines_are_judged_and_not_timed(every):
    others = {form.precision: form for form in judgement(every[0]).others}
    for name in ELSEWHERE:
        form = others[f"int8.{name}"]
        assert form.race is None
        assert form.check.cosine > 0.9
        assert form.reason == "right; not timed here"


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO is not installed")
def test_a_form_for_openvino_races_float_in_openvino(every):
    calibrated, raced = every
    assert set(raced) == {("OrtSession", "OrtSession"), ("OvSession", "OvSession")}
    form = next(form for form in judgement(calibrated).others if form.precision == "int8.openvino")
    assert form.reason == "right, and faster than float"


def test_the_table_and_the_document_name_every_form(every, written):
    calibrated, _ = every
    lines = list(calibrated.lines(written))
    rows = {row["graph"]: row for row in calibrated.to_json(written)["rows"]}
    assert [form["precision"] for form in rows["sequence"]["others"]] == [
        form.precision for form in judgement(calibrated).others
    ]
    for name in ELSEWHERE:
        assert sum(f"int8.{name} " in line and "not timed here" in line for line in lines) == 2
    assert [recipe["name"] for recipe in calibrated.facts["recipes"]] == [
        f"int8.{name}" for name in (*HERE, *(name for name in ASKED if name not in HERE))
    ]


def test_for_another_runtime_alone_the_graph_goes_on_in_float_and_the_file_is_kept(run, tmp_path):
    calibrated, raced = run(("tensorrt",), 2.0)
    found = judgement(calibrated)
    assert (found.precision, found.reason, raced) == ("fp32", "int8.tensorrt: right; not timed here", [])
    assert calibrated.chosen.worst_error == 0
    kept = calibrated.save(tmp_path / "bundle").manifest.graphs["sequence"].files
    assert set(kept) == {"fp32", "fp16", "int8.tensorrt"}


def test_what_is_slower_here_is_dropped_and_what_cannot_be_timed_is_kept(run, tmp_path):
    calibrated, _ = run((HERE[0], "tensorrt"), 0.8)
    assert judgement(calibrated).precision == "fp32"
    kept = calibrated.save(tmp_path / "bundle").manifest.graphs["sequence"].files
    assert set(kept) == {"fp32", "fp16", "int8.tensorrt"}


def test_an_unknown_target_is_refused_before_anything_is_done(run):
    with pytest.raises(SettingError, match="target is 'gpu'"):
        run(("gpu",), 2.0)
