import json
from dataclasses import replace

import numpy as np
import onnx
import pytest

from mmer import cli
from mmer.calibration.exact.rules import Suspect
from mmer.calibration.judgement import judge
from mmer.calibration.judgement.race import Race
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.single import Places, calibrate_file
from mmer.edge.backends.ort import OrtSession
from mmer.edge.errors import AccuracyGateError, BudgetGateError, DataError, OutputExistsError, SettingError

FAST, SLOW = Race(2.0, 0.1, 40), Race(0.8, 0.1, 40)
EASY = CalibrationSettings(samples=12, fresh=4, int8_cosine=0.9)


@pytest.fixture
def model(build, tmp_path):
    """A classifier of sequences whose answers are called logits, with a label beside them."""
    builder = build()
    hidden = builder.node("Tanh", builder.linear("x", 32, 64))
    mean = builder.node("ReduceMean", hidden, builder.constant(np.array([1], "i8")), keepdims=0)
    builder.linear(mean, 64, 16, output="logits")
    builder.node("ArgMax", "logits", axis=1, keepdims=0, output="label")
    found = builder.model({"x": [1, "T", 32]}, {"logits": [1, 16]})
    found.graph.output.append(onnx.helper.make_tensor_value_info("label", onnx.TensorProto.INT64, [1]))
    onnx.save(found, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.fixture
def samples(tmp_path, draw):
    folder = tmp_path / "samples"
    folder.mkdir()
    for number, sample in enumerate(draw(20, 1, None, 32)):
        np.savez(folder / f"{number}.npz", **sample)
    return folder


@pytest.fixture
def calibrated(model, samples, monkeypatch):
    """Calibrates with a race of a stated outcome."""

    def run(outcome=FAST, settings=EASY):
        monkeypatch.setattr(judge, "race", lambda *_: outcome)
        return calibrate_file(model, samples, settings)

    return run


def test_any_file_becomes_int8_with_a_record_beside_it(calibrated, model, draw):
    single = calibrated()
    written = single.save(Places.of(model, None, half=False), anyway=False)
    assert [path.name for path in written] == ["model.int8.onnx", "model.int8.calibration.json"]
    operators = {node.op_type for node in onnx.load(written[0]).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= operators
    given = draw(1, 1, None, 32, seed=9)[0]
    found = OrtSession.open(written[0]).run(given)
    assert set(found) == {"logits", "label"}
    np.testing.assert_allclose(found["logits"], OrtSession.open(model).run(given)["logits"], atol=0.1)


def test_every_float_output_has_a_cosine_to_the_file_as_it_was_given(calibrated):
    single = calibrated()
    assert list(single.cosines) == ["logits"]
    assert single.cosines["logits"] > 0.99


def test_the_record_holds_ranges_and_which_samples_they_are_from(calibrated, model):
    single = calibrated()
    record = json.loads(single.save(Places.of(model, None, half=False), anyway=False)[-1].read_text())
    assert record["schema"] == "mmer.calibrate-file/1"
    assert record["samples"]["calibration"]["count"] == 12
    assert record["ranges"]
    assert record["row"]["reason"] == "right, and faster than float here"


def test_fp16_is_written_when_asked_for(calibrated, model):
    written = calibrated().save(Places.of(model, None, half=True), anyway=False)
    assert [path.name for path in written] == ["model.int8.onnx", "model.fp16.onnx", "model.int8.calibration.json"]


def test_what_is_not_accurate_is_not_written(calibrated, model):
    single = calibrated(settings=CalibrationSettings(samples=12, fresh=4, int8_cosine=1.0))
    assert single.save(Places.of(model, None, half=False), anyway=False) == ()
    with pytest.raises(AccuracyGateError, match="1 is needed; give more samples"):
        single.require()


def test_what_is_not_faster_is_not_written(calibrated, model):
    single = calibrated(SLOW)
    assert single.save(Places.of(model, None, half=False), anyway=False) == ()
    with pytest.raises(BudgetGateError, match=r"not faster than float: 0\.80 x"):
        single.require()
    assert next(single.lines(())) == "nothing was written"


def test_it_is_written_anyway_when_asked_for(calibrated, model):
    single = calibrated(SLOW)
    assert single.save(Places.of(model, None, half=False), anyway=True)[0].exists()


def test_a_graph_without_layers_says_so(build, tmp_path, samples):
    builder = build()
    builder.node("Tanh", "x", output="y")
    path = tmp_path / "flat.onnx"
    onnx.save(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), path)
    single = calibrate_file(path, samples, EASY)
    with pytest.raises(DataError, match="no layer in it to quantise"):
        single.require()


def test_layers_around_a_choice_at_run_time_are_quantised(build, tmp_path, samples, monkeypatch):
    monkeypatch.setattr(judge, "race", lambda *_: FAST)
    builder = build()
    hidden = builder.linear("x", 32, 32)
    loud = builder.node("Greater", builder.node("ReduceMax", "x", keepdims=0), builder.constant(np.float32(3)))
    value = onnx.helper.make_tensor_value_info
    branches = [
        onnx.helper.make_graph(
            [onnx.helper.make_node(name, [hidden], [f"{name}.out"])], name, [], [value(f"{name}.out", 1, None)]
        )
        for name in ("Tanh", "Sigmoid")
    ]
    chosen = builder.node("If", loud, then_branch=branches[0], else_branch=branches[1])
    builder.linear(chosen, 32, 32, output="y")
    path = tmp_path / "choice.onnx"
    onnx.save(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), path)
    single = calibrate_file(path, samples, EASY)
    assert single.require().layers == ""
    assert single.cosines["y"] > 0.99


def test_few_samples_are_warned_about_and_the_record_says_so(calibrated, model):
    single = calibrated(settings=replace(EASY, samples=4, fresh=2))
    assert [found.kind for found in single.warnings] == ["few-samples"]
    *_, record = single.save(Places.of(model, None, half=False), anyway=True)
    assert [found["kind"] for found in json.loads(record.read_bytes())["warnings"]] == ["few-samples"]


def test_samples_that_never_change_are_refused(model, tmp_path):
    for number in range(4):
        np.savez(tmp_path / f"{number}.npz", x=np.full((1, 5, 32), number, "f4"))
    with pytest.raises(DataError, match=r"x never changes in all of \d sample"):
        calibrate_file(model, tmp_path, EASY)


def test_a_file_is_made_for_one_target(model, samples):
    with pytest.raises(SettingError, match="name one --target at a time"):
        calibrate_file(model, samples, replace(EASY, targets=("ort", "arm")))


def test_a_form_with_a_known_fault_of_its_runtime_is_not_kept(calibrated, monkeypatch):
    known = Suspect("some-rule", "onnxruntime 1.31.1", "y", "it is wrong")
    monkeypatch.setattr(judge, "suspects", lambda _: [known])
    assert calibrated().fault == "y: it is wrong (onnxruntime 1.31.1, rule some-rule)"


def test_a_known_fault_of_another_runtime_is_none(calibrated, monkeypatch):
    monkeypatch.setattr(judge, "suspects", lambda _: [Suspect("some-rule", "openvino 2026.4.1", "y", "it is wrong")])
    assert calibrated().fault is None


@pytest.mark.parametrize("settings", [replace(EASY, method="each"), replace(EASY, clip=True)])
def test_a_method_for_each_tensor_and_clipped_weights_are_right_too(calibrated, settings):
    assert calibrated(settings=settings).cosines["logits"] > 0.99


def test_a_file_in_the_way_is_found_before_the_work(model):
    model.with_name("model.int8.onnx").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        Places.of(model, None, half=False).claim(exist_ok=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["model.onnx"], "an .onnx file needs samples"),
        (["model.onnx", "--data", "x.csv", "--inputs", "y"], "--data: not for an .onnx file"),
        (["bundle", "--inputs", "y"], "--inputs: not for a bundle"),
        (["bundle"], "a bundle needs --data"),
    ],
)
def test_options_of_the_other_kind_are_refused(monkeypatch, capsys, arguments, said):
    monkeypatch.setattr("sys.argv", ["mmer", "calibrate", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_the_command_says_7_when_int8_is_not_faster(model, samples, monkeypatch, capsys):
    monkeypatch.setattr(judge, "race", lambda *_: SLOW)
    monkeypatch.setattr("sys.argv", ["mmer", "calibrate", str(model), "--inputs", str(samples), "--json"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 7
    assert json.loads(capsys.readouterr().out)["written"] == []


def test_progress_of_samples_and_of_ranges_is_told(model, samples):
    heard = {}
    calibrate_file(model, samples, EASY, lambda title, done, of: heard.update({title: (done, of)}))
    assert heard.keys() == {"samples", "ranges"}
    assert all(done == of > 0 for done, of in heard.values())
