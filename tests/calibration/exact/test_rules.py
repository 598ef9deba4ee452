"""Each defect has a rule that knows it, and a canary that says when a runtime has been mended."""

import onnxruntime
import pytest

from mmer.calibration.exact.reference import Reference
from mmer.calibration.exact.rules import OPENVINO, ORT, suspects
from mmer.calibration.exact.symptom import COARSE, ort_engines, symptoms


def engine(name):
    if name != "openvino":
        return ort_engines()[name]
    pytest.importorskip("openvino")
    from mmer.edge.backends.openvino import OvSession

    return OvSession.open


def newer(name):
    """Tell whether a runtime is newer than the one in which the defect was seen."""
    runtime = pytest.importorskip("openvino") if name == "openvino" else onnxruntime
    seen = (OPENVINO if name == "openvino" else ORT).split(" ")[1]
    here = runtime.__version__.split("-")[0]
    return tuple(map(int, here.split(".")[:3])) > tuple(map(int, seen.split(".")))


def wrong(case, name):
    engines = {name: engine(name), "ort-disabled": ort_engines()["ort-disabled"]}
    found = symptoms(case.model, case.inputs, engines)
    return any(name in symptom.engines for symptom in found if symptom.kind != COARSE)


def test_a_rule_knows_the_defect(defect):
    rule, case, _, _ = defect
    assert {suspect.rule for suspect in suspects(case.model)} == {rule}


def test_no_rule_speaks_of_the_sound_graph(defect):
    _, _, sound, _ = defect
    assert suspects(sound.model) == []


def test_the_sound_graph_is_computed_rightly(defect):
    _, _, sound, name = defect
    assert not wrong(sound, name)


def test_the_defect_is_still_there(defect):
    """Where a newer runtime has been mended, note the version; the rule stays for older ones."""
    rule, case, _, name = defect
    found = wrong(case, name)
    if newer(name) and not found:
        pytest.skip(f"{name} is mended: {rule} is needed for older versions only")
    assert found


def test_stale_shapes_are_known(stale):
    old, right = stale
    assert [suspect.rule for suspect in suspects(old.model)] == ["stale-shapes"]
    assert suspects(right.model) == []


def test_a_suspect_says_where_what_and_in_which_runtime(stale):
    (suspect,) = suspects(stale[0].model)
    assert str(suspect) == (
        "h: is said to be [5, 7] and is [4, 3]; delete value_info (onnxruntime 1.31.1, rule stale-shapes)"
    )


def test_a_softmax_over_keys_of_unknown_number_is_taken_for_one_over_one(graph):
    import numpy as np

    shares = graph.node("Softmax", graph.pair("x", 0.02, np.uint8(128)), axis=-1)
    graph.pair(shares, 1 / 256, np.uint8(0), output="y")
    case = graph.case({"x": np.zeros((4, 8), "f4")})
    case.model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "T"
    assert [suspect.rule for suspect in suspects(case.model)] == ["quantised-softmax"]
    assert Reference(case.model).outputs(case.inputs)["y"].centre.max() == pytest.approx(0.125)
