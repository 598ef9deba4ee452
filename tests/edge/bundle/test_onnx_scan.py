"""What is dangerous in an ONNX file is found wherever it hides."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mmer.edge.bundle import onnx_scan
from mmer.edge.bundle.onnx_scan import scan_onnx
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import BundleError

WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)


def outside() -> TensorProto:
    """A tensor that lies in another file."""
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[3, 4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../secret")
    return tensor


def branch(tensor: TensorProto) -> onnx.GraphProto:
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    return helper.make_graph([node], "branch", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])


def model(tensor: TensorProto | None = None, nodes: list[onnx.NodeProto] | None = None) -> onnx.ModelProto:
    nodes = nodes or [helper.make_node("MatMul", ["x", "weights"], ["y"])]
    value_in = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])
    value_out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])
    constants = [tensor or numpy_helper.from_array(WEIGHTS, "weights")]
    return helper.make_model(helper.make_graph(nodes, "g", [value_in], [value_out], constants), ir_version=10)


def in_function(tensor: TensorProto) -> onnx.ModelProto:
    made = model()
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    made.functions.append(helper.make_function("own", "f", [], ["y"], [node], [helper.make_opsetid("", 18)]))
    return made


def in_training(tensor: TensorProto) -> onnx.ModelProto:
    made = model()
    made.training_info.add().algorithm.CopyFrom(branch(tensor))
    return made


def located(tensor: TensorProto) -> TensorProto:
    """The same without a list of places."""
    del tensor.external_data[:]
    return tensor


def listed(tensor: TensorProto) -> TensorProto:
    """The same with the place alone."""
    tensor.ClearField("data_location")
    return tensor


OUTSIDE = {
    "initializer": lambda: model(outside()),
    "location": lambda: model(located(outside())),
    "list": lambda: model(listed(outside())),
    "constant": lambda: model(nodes=[helper.make_node("Constant", [], ["y"], value=outside())]),
    "branch": lambda: model(nodes=[helper.make_node("If", ["x"], ["y"], then_branch=branch(outside()))]),
    "tensors": lambda: model(nodes=[helper.make_node("Own", ["x"], ["y"], many=[outside()])]),
    "graphs": lambda: model(nodes=[helper.make_node("Own", ["x"], ["y"], many=[branch(outside())])]),
    "function": lambda: in_function(outside()),
    "training": lambda: in_training(outside()),
}


@pytest.mark.parametrize("place", OUTSIDE)
def test_external_data_is_refused_wherever_it_is(place):
    with pytest.raises(BundleError, match="the graph has external data"):
        scan_onnx(OUTSIDE[place]().SerializeToString(), "a.onnx")


def test_a_file_that_onnx_saved_with_external_data_is_refused(tmp_path):
    onnx.save(model(), tmp_path / "a.onnx", save_as_external_data=True, size_threshold=0, location="a.bin")
    with pytest.raises(BundleError, match="external data"):
        scan_onnx((tmp_path / "a.onnx").read_bytes(), "a.onnx")


def test_external_data_behind_a_second_mention_of_the_graph_is_refused():
    twice = (
        model().SerializeToString()
        + onnx.ModelProto(graph=onnx.GraphProto(initializer=[outside()])).SerializeToString()
    )
    assert onnx.load_from_string(twice).graph.initializer[1].external_data
    with pytest.raises(BundleError, match="external data"):
        scan_onnx(twice, "a.onnx")


@pytest.mark.parametrize("place", ["initializer", "branch"])
def test_a_plain_graph_passes(place):
    fine = branch(numpy_helper.from_array(WEIGHTS))
    nodes = [helper.make_node("If", ["x"], ["y"], then_branch=fine, else_branch=fine)]
    scan_onnx(model(nodes=nodes if place == "branch" else None).SerializeToString(), "a.onnx")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.int8, np.bool_])
def test_tensors_of_every_type_pass(dtype):
    scan_onnx(model(numpy_helper.from_array(np.ones((64, 3), dtype), "weights")).SerializeToString(), "a.onnx")


@pytest.mark.parametrize("shape", [(0, 4), (768, 0)])
def test_a_tensor_of_no_element_passes(shape):
    scan_onnx(model(numpy_helper.from_array(np.zeros(shape, np.float32), "weights")).SerializeToString(), "a.onnx")


def test_a_tensor_with_packed_dimensions_is_judged_as_well():
    tensor = b"\x0a\x06" + b"\xff\xff\xff\x07" + b"\x02\x03"  # three of them in one field
    graph = b"\x2a" + bytes([len(tensor)]) + tensor
    with pytest.raises(BundleError, match="more elements"):
        scan_onnx(b"\x3a" + bytes([len(graph)]) + graph, "a.onnx")


@pytest.mark.parametrize("dims", [[1 << 30, 1 << 30], [-1], [1 << 62], [1] * 65, [1 << 62] * 60])
def test_a_tensor_larger_than_its_bytes_is_refused(dims):
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=dims, raw_data=b"0000")
    with pytest.raises(BundleError, match="more elements than its"):
        scan_onnx(model(tensor).SerializeToString(), "a.onnx")


def test_a_sparse_tensor_is_refused():
    made = model()
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(WEIGHTS[0], "w"), numpy_helper.from_array(np.arange(4)), [1 << 40]
    )
    made.graph.sparse_initializer.append(sparse)
    with pytest.raises(BundleError, match="a sparse tensor"):
        scan_onnx(made.SerializeToString(), "a.onnx")


def test_a_compiled_engine_is_refused():
    nodes = [helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", ep_cache_context="/tmp/engine")]
    with pytest.raises(BundleError, match="EPContext"):
        scan_onnx(model(nodes=nodes).SerializeToString(), "a.onnx")


def test_onnx_runtimes_own_format_is_refused():
    with pytest.raises(BundleError, match="own format"):
        scan_onnx(b"\x1c\0\0\0ORTM" + b"\0" * 100, "a.onnx")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello world",
        b"\x08\x0a",  # a version and no graph
        b"\x3a\xff\xff\xff\xff\x0f",  # a graph longer than the file
        b"\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",  # a length without an end
        b"\x3b\x3c",  # a group
        b"\x00\x00",  # field 0
        b"\x3a",
    ],
)
def test_what_is_no_onnx_is_refused(content):
    with pytest.raises(BundleError, match="the graph has"):
        scan_onnx(content, "a.onnx")


def test_a_tag_that_some_parsers_would_cut_to_that_of_a_graph_is_refused():
    with pytest.raises(BundleError, match="impossible number"):
        scan_onnx(model().SerializeToString() + b"\xba\x80\x80\x80\x80\x01\x00", "a.onnx")


def test_a_graph_of_absurdly_many_parts_is_refused(monkeypatch):
    monkeypatch.setattr(onnx_scan, "MOST_FIELDS", 10)
    with pytest.raises(BundleError, match="more than 10 fields"):
        scan_onnx(model().SerializeToString(), "a.onnx")


def test_a_bundle_with_external_data_is_refused(parts, tmp_path):
    with pytest.raises(BundleError, match=r"frame\.fp32\.onnx.*external data") as refusal:
        write_bundle(
            tmp_path / "a",
            parts.manifest,
            {**parts.files, "graphs/frame.fp32.onnx": model(outside()).SerializeToString()},
        )
    assert (refusal.value.exit_code, list(tmp_path.iterdir())) == (8, [])
