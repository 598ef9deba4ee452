import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.onnx_file import ModelFileError, OnnxFile
from mmer.edge.backends.ort import OrtSession


def answers(content, given):
    return OrtSession.open(content).run(given)["y"]


@pytest.fixture
def saved(tmp_path):
    """Writes a model and returns its path."""

    def save(model, name="model.onnx", **options):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)  # saving with weights beside the file takes them out of the model
        onnx.save(copy, tmp_path / name, **options)
        return tmp_path / name

    return save


@pytest.fixture
def small(build):
    """One linear layer, [B, 16] to [B, 16]."""
    builder = build()
    builder.linear("x", 16, 16, output="y")
    return builder.model({"x": ["B", 16]}, {"y": ["B", 16]})


def test_weights_beside_the_file_are_read(small, saved, draw):
    path = saved(small, save_as_external_data=True, location="weights.bin", size_threshold=0)
    given = draw(1, 3, 16)[0]
    read = OnnxFile.read(path)
    path.with_name("weights.bin").unlink()
    np.testing.assert_array_equal(answers(read.clean, given), answers(small.SerializeToString(), given))


@pytest.mark.parametrize("location", ["../secret.bin", "link.bin", "missing.bin"])
def test_weights_outside_the_folder_are_refused(small, saved, location):
    path = saved(small, save_as_external_data=True, location="weights.bin", size_threshold=0)
    path.parent.with_name("secret.bin").write_bytes(bytes(1024))
    path.with_name("link.bin").symlink_to(path.parent.with_name("secret.bin"))
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        next(entry for entry in tensor.external_data if entry.key == "location").value = location
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="not a usable ONNX file"):
        OnnxFile.read(path)


def test_an_old_opset_is_converted(saved, draw):
    bias = numpy_helper.from_array(np.ones(16, "f4"), "b")
    weight = numpy_helper.from_array(np.eye(16, dtype="f4"), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])],
        "g",
        [helper.make_tensor_value_info(n, 1, s) for n, s in (("x", ["B", 16]), ("w", [16, 16]), ("b", [16]))],
        [helper.make_tensor_value_info("y", 1, ["B", 16])],
        [weight, bias],
    )
    old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=3)
    read = OnnxFile.read(saved(old))
    assert [spec.name for spec in read.inputs] == ["x"]
    assert onnx.load_from_string(read.clean).opset_import[0].version >= 15
    given = draw(1, 3, 16)[0]
    np.testing.assert_allclose(answers(read.clean, given), given["x"] + 1)


def test_an_opset_that_cannot_be_converted_is_refused(saved):
    value = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Scan", ["x"], ["y"])], "g", [value("x", 1, [4])], [value("y", 1, [4])])
    old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=3)
    with pytest.raises(ModelFileError, match=r"opset 8 cannot be converted .* export it at 17 or more"):
        OnnxFile.read(saved(old))


def test_a_transposed_weight_becomes_a_weight(build, saved):
    builder = build()
    turned = builder.node("Transpose", builder.weight(16, 16), perm=[1, 0])
    builder.node("MatMul", "x", turned, output="y")
    read = OnnxFile.read(saved(builder.model({"x": ["B", 16]}, {"y": ["B", 16]})))
    assert [node.op_type for node in onnx.load_from_string(read.clean).graph.node] == ["MatMul"]


def test_a_norm_becomes_part_of_its_convolution(build, saved):
    builder = build()
    conv = builder.node("Conv", "x", builder.weight(8, 3, 3, 3), kernel_shape=[3, 3])
    ones, zeros = builder.constant(np.ones(8, "f4")), builder.constant(np.zeros(8, "f4"))
    builder.node("BatchNormalization", conv, ones, zeros, zeros, ones, output="y")
    read = OnnxFile.read(saved(builder.model({"x": ["N", 3, 8, 8]}, {"y": ["N", 8, 6, 6]})))
    assert [node.op_type for node in onnx.load_from_string(read.clean).graph.node] == ["Conv"]


def test_only_operator_sets_in_use_are_named(small, saved):
    read = OnnxFile.read(saved(small))
    assert [entry.domain for entry in onnx.load_from_string(read.clean).opset_import] == [""]


@pytest.mark.parametrize("content", [b"", b"no model at all", bytes(200)])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a usable ONNX file"):
        OnnxFile.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        OnnxFile.read(tmp_path / "nothing.onnx")


def test_a_quantised_model_is_refused(build, saved):
    builder = build()
    scale, zero = builder.constant(np.float32(0.1)), builder.constant(np.uint8(0))
    levels = builder.node("QuantizeLinear", "x", scale, zero)
    builder.node("DequantizeLinear", levels, scale, zero, output="y")
    with pytest.raises(ModelFileError, match="already quantised"):
        OnnxFile.read(saved(builder.model({"x": [4]}, {"y": [4]})))


def test_half_precision_is_refused(saved):
    weight = numpy_helper.from_array(np.eye(4, dtype="f2"), "w")
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("MatMul", ["h", "w"], ["m"]),
        helper.make_node("Cast", ["m"], ["y"], to=TensorProto.FLOAT),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [value("x", 1, ["B", 4])], [value("y", 1, ["B", 4])], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    with pytest.raises(ModelFileError, match="weight w is float16; give the float32 graph"):
        OnnxFile.read(saved(model))


def test_what_an_inner_graph_reads_from_around_it_is_kept(build):
    builder = build()
    hidden = builder.linear("x", 16, 16)
    value = helper.make_tensor_value_info
    branches = [
        helper.make_graph([helper.make_node(name, [hidden], ["out"])], name, [], [value("out", 1, None)])
        for name in ("Tanh", "Relu")
    ]
    yes = builder.constant(np.array(True))
    builder.node("If", yes, output="y", then_branch=branches[0], else_branch=branches[1])
    model = builder.model({"x": ["B", 16]}, {"y": ["B", 16]})
    network = Network.of(model)
    assert network.only_reader(hidden).op_type == "If"
