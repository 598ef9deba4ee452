"""OpenVINO behind the same interface as ONNX Runtime."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

pytest.importorskip("openvino")

from mmer.edge.backends.openvino import OvSession, OvSettings
from mmer.edge.backends.ort import OrtSession
from mmer.edge.errors import DeviceError


def doubled(kind=onnx.TensorProto.FLOAT, operator="Add"):
    given, made = (helper.make_tensor_value_info(name, kind, [1, "T", 4]) for name in "xy")
    graph = helper.make_graph([helper.make_node(operator, ["x", "x"], ["y"])], "g", [given], [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString()


@pytest.fixture
def session():
    return OvSession.open(doubled())


def test_inputs_and_outputs_are_those_of_the_graph(session):
    ort = OrtSession.open(doubled())
    for ours, theirs in ((session.inputs, ort.inputs), (session.outputs, ort.outputs)):
        assert [(s.name, s.dtype, len(s.shape)) for s in ours] == [(s.name, s.dtype, len(s.shape)) for s in theirs]
    assert session.inputs[0].shape == (1, "?", 4)


def test_an_output_that_is_an_inner_tensor_too_keeps_its_name():
    nodes = [helper.make_node("Add", ["x", "x"], ["inner"]), helper.make_node("Identity", ["inner"], ["y"])]
    given, made = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in "xy")
    graph = helper.make_graph(nodes, "g", [given], [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    session = OvSession.open(model.SerializeToString())
    assert [spec.name for spec in session.outputs] == ["y"]
    assert (session.run({"x": np.ones((1, 4), "f4")})["y"] == 2).all()


@pytest.mark.parametrize("kind", [onnx.TensorProto.FLOAT, onnx.TensorProto.INT64])
def test_an_array_keeps_its_type_and_may_have_any_length(kind):
    session = OvSession.open(doubled(kind))
    for length in (3, 1, 7):
        given = np.arange(4 * length).reshape(1, length, 4).astype(session.inputs[0].dtype)
        made = session.run({"x": given})["y"]
        assert made.dtype == given.dtype
        np.testing.assert_array_equal(made, 2 * given)


def test_what_it_returned_does_not_change_with_the_next_run(session):
    first = session.run({"x": np.ones((1, 2, 4), "f4")})["y"]
    session.run({"x": np.zeros((1, 2, 4), "f4")})
    assert (first == 2).all()


def test_what_is_float_is_computed_in_single_precision():
    rng = np.random.default_rng(0)
    given = rng.normal(0, 1, (1, 4)).astype("f4")
    weight = rng.normal(0, 1, (4, 512)).astype("f4")
    shapes = {"x": [1, 4], "y": [1, 512]}
    given_as, made_as = (helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, shapes[n]) for n in "xy")
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([product], "g", [given_as], [made_as], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    made = OvSession.open(model.SerializeToString(), OvSettings(threads=2)).run({"x": given})["y"]
    assert np.abs(made - given @ weight).max() < 1e-5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "the input x, which was not given"),
        ({"x": np.ones((1, 3, 5), "f4")}, r"\[1, 3, 5\]"),
        ({"x": np.ones((3, 4), "f4")}, r"\[3, 4\]"),
        ({"x": np.ones((1, 3, 4), "i8")}, "given as int64"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(session, given, said):
    with pytest.raises(DeviceError, match=said):
        session.run(given)


@pytest.mark.parametrize("content", [b"no graph", doubled(operator="NoSuchOperator")])
def test_a_graph_that_cannot_be_compiled_is_one_line(content):
    with pytest.raises(DeviceError, match="OpenVINO cannot load it") as caught:
        OvSession.open(content)
    assert "\n" not in str(caught.value)
    assert "Exception from" not in str(caught.value)


def test_a_file_is_opened_by_its_path(tmp_path):
    (tmp_path / "graph.onnx").write_bytes(doubled())
    assert OvSession.open(tmp_path / "graph.onnx").outputs[0].name == "y"
