"""The form for TensorRT, read as a file: no TensorRT is needed to see whether the rules are kept."""

import numpy as np
import onnx
import pytest

from mmer.calibration.graph.network import Network, attributes
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.judgement.check import check
from mmer.calibration.targets.tensorrt import OPSET, TENSORRT, worthwhile

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
PAIR = ("QuantizeLinear", "DequantizeLinear")


@pytest.fixture
def written(quantise):
    def make(model, inputs):
        return Network.of(onnx.load_from_string(quantise(model, inputs, TENSORRT)))

    return make


@pytest.fixture(scope="module")
def kept():
    """What was written once for all tests."""
    return {}


@pytest.fixture
def images(residual, draw, written, kept):
    if "images" not in kept:
        kept["images"] = written(residual, draw(4, 2, 3, 24, 24))
    return kept["images"]


@pytest.fixture
def words(transformer, draw, written, kept):
    if "words" not in kept:
        kept["words"] = written(transformer, draw(16, 1, None, 32))
    return kept["words"]


@pytest.fixture(params=["images", "words"])
def network(request):
    return request.getfixturevalue(request.param)


def of(network, *operators):
    found = [node for node in network.nodes if node.op_type in operators]
    assert found
    return found


def kinds(network):
    inferred = onnx.shape_inference.infer_shapes(network.model).graph
    return {v.name: v.type.tensor_type.elem_type for v in [*inferred.value_info, *inferred.input, *inferred.output]}


def test_the_file_has_only_the_standards_operators(network):
    assert {node.domain for node in network.nodes} == {""}
    assert {one.domain: one.version for one in network.model.opset_import} == {"": OPSET}


def test_every_zero_point_is_written_and_is_an_int8_zero(network):
    for node in of(network, *PAIR):
        assert len(node.input) == 3
        zero = network.weights[node.input[2]]
        assert zero.dtype == np.int8
        assert not zero.any()


def test_graph_inputs_and_outputs_stay_float32(network):
    ends = [*network.model.graph.input, *network.model.graph.output]
    assert {value.type.tensor_type.elem_type for value in ends} == {FLOAT}
    onnx.checker.check_model(network.model, full_check=True)  # what is computed is what is stated


def test_layers_compute_in_half_precision_between_scales_of_half_precision(network):
    found = kinds(network)
    for node in of(network, "Conv", "Gemm"):
        assert [found[name] for name in (*node.input[:2], *node.output)] == [HALF] * 3
        scales = (network.weights[network.producers[name].input[1]] for name in node.input[:2])
        assert {scale.dtype for scale in scales} == {np.dtype("f2")}


def test_an_activation_has_one_scale_on_both_sides_of_its_levels(network):
    for node in of(network, "QuantizeLinear"):
        (reader,) = {network.weights[r.input[1]].astype("f4").item() for r in network.readers(node.output[0])}
        assert network.weights[node.input[1]].astype("f4").item() == reader


def test_weights_are_integers_of_one_scale_for_each_output_channel(network):
    for node in of(network, "Conv", "Gemm"):
        restored = network.producers[node.input[1]]
        assert restored.op_type == "DequantizeLinear"
        values, scale = (network.weights[name] for name in restored.input[:2])
        assert values.dtype == np.int8
        assert int(values.min()) >= -127
        axis = attributes(restored)["axis"]
        assert axis == (0 if node.op_type == "Conv" else 1)
        assert scale.shape == (values.shape[axis],)


def test_biases_are_floats_of_the_file(network):
    assert {network.weights[node.input[2]].dtype for node in of(network, "Conv", "Gemm")} == {np.dtype("f2")}


def test_only_what_layers_read_is_on_levels_and_what_a_rectifier_reads_never(images):
    for node in of(images, "Relu", "MaxPool"):
        assert images.maker(node.input[0]) not in PAIR
    behind = [node for node in of(images, "QuantizeLinear") if images.maker(node.input[0]) == "Conv"]
    assert [images.readers(r.output[0])[0].op_type for n in behind for r in images.readers(n.output[0])] == ["Add"]


def test_of_a_sum_one_side_is_a_bare_convolution_and_the_other_is_on_levels(images):
    for node in of(images, "Add"):
        assert sorted(images.maker(name) for name in node.input) == ["Conv", "DequantizeLinear"]


def test_a_sum_and_the_layers_that_read_the_same_tensor_share_its_levels(images):
    first = of(images, "Add")[0]
    (restored,) = (name for name in first.input if images.maker(name) == "DequantizeLinear")
    assert {node.op_type for node in images.readers(restored)} == {"Conv", "Add"}


def test_sums_around_linear_layers_are_not_on_levels(words):
    for node in of(words, "Add"):
        assert not [name for name in node.input if words.maker(name) in PAIR]


@pytest.mark.parametrize("operator", ["Softmax", "LayerNormalization"])
def test_what_is_delicate_is_computed_in_single_precision(words, operator):
    found = kinds(words)
    for node in of(words, operator):
        assert {found[node.input[0]], found[node.output[0]]} == {FLOAT}
        assert words.maker(node.input[0]) != "DequantizeLinear"


def test_a_reduction_is_computed_in_single_precision(images):
    (node,) = of(images, "GlobalAveragePool")
    assert {kinds(images)[name] for name in (*node.input, *node.output)} == {FLOAT}


def test_gelu_and_a_recurrence_stay_in_single_precision_without_levels(build, draw, written):
    builder = build()
    hidden = builder.linear("x", 32, 32)
    half = builder.constant(np.float32(0.5))
    bent = builder.node("Erf", builder.node("Mul", hidden, half))
    steps = builder.node("Transpose", builder.node("Mul", hidden, bent), perm=[1, 0, 2])
    memory, feedback = builder.weight(1, 48, 32, scale=0.2), builder.weight(1, 48, 16, scale=0.2)
    builder.nodes.append(onnx.helper.make_node("GRU", [steps, memory, feedback], ["r", ""], name="r", hidden_size=16))
    builder.linear("r", 16, 16, output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": ["T", 1, 1, 16]})
    network = written(model, draw(8, 1, None, 32))
    found = kinds(network)
    for node in of(network, "Erf", "GRU"):
        assert {found[node.input[0]], found[node.output[0]]} == {FLOAT}
        assert network.maker(node.input[0]) not in PAIR
    assert len(of(network, "Gemm")) == 2


@pytest.mark.parametrize(("rows", "kept"), [(1, False), (8, True), ("T", True)])
def test_a_product_with_a_single_row_is_left_alone(build, rows, kept):
    builder = build()
    builder.linear("x", 32, 32, output="y")
    model = builder.model({"x": [rows, 32]}, {"y": [rows, 32]})
    assert bool(worthwhile(prepared(model))) == kept


@pytest.mark.parametrize(
    ("shape", "groups", "kept"),
    [
        ((16, 16, 3, 3), 1, True),
        ((16, 8, 3, 3), 1, True),
        ((8, 8, 3, 3), 1, False),
        ((17, 9, 3, 3), 1, False),
        ((16, 8, 1, 3), 1, False),
        ((16, 8, 3), 1, False),
        ((32, 16, 3), 1, True),
        ((16, 1, 3, 3), 16, True),
        ((12, 1, 3, 3), 12, False),
        ((16, 1, 1, 1), 16, False),
        ((32, 8, 3, 3), 4, False),
    ],
)
def test_a_convolution_of_few_channels_is_left_alone(build, shape, groups, kept):
    builder = build()
    weight = builder.constant(builder.rng.normal(0, 1, shape).astype("f4"))
    made, given, *kernel = shape
    hidden = builder.node("Conv", builder.node("Tanh", "x"), weight, kernel_shape=kernel, group=groups)
    builder.node("Tanh", builder.node("Tanh", hidden), output="y")
    free = ["H", "W"][: len(kernel)]
    model = builder.model({"x": [1, given * groups, *free]}, {"y": [1, made, *(f"{name}out" for name in free)]})
    assert bool(worthwhile(prepared(model))) == kept


def test_a_first_convolution_may_have_fewer_channels(build):
    builder = build()
    convolution = builder.node("Conv", "x", builder.constant(np.ones((8, 3, 3, 3), "f4")), kernel_shape=[3, 3])
    builder.node("Tanh", builder.node("Tanh", convolution), output="y")
    model = builder.model({"x": [1, 3, "H", "W"]}, {"y": [1, 8, "h", "w"]})
    assert [*worthwhile(prepared(model))] == [convolution]


@pytest.mark.parametrize(("mean", "centred"), [(0.2, 0), (5.0, 1)])
def test_a_mean_is_taken_off_where_that_wins_a_bit_and_not_elsewhere(build, written, mean, centred):
    builder = build()
    builder.linear("x", 32, 32, output="y")
    model = builder.model({"x": ["N", 32]}, {"y": ["N", 32]})
    rng = np.random.default_rng(0)
    network = written(model, [{"x": (mean + rng.normal(0, 0.3, (8, 32))).astype("f4")} for _ in range(8)])
    assert sum(node.op_type == "Sub" for node in network.nodes) == centred


def test_a_layer_that_half_precision_cannot_hold_stays_in_int8_with_single_precision_around_it(build, draw, written):
    builder = build()
    large = builder.linear("x", 32, 32, builder.weight(32, 32, scale=3e4))
    small = builder.node("Mul", large, builder.constant(np.float32(1e-6)))
    builder.linear(builder.node("Tanh", small), 32, 32, output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})
    network = written(model, draw(8, 1, None, 32))
    found = kinds(network)
    first, second = of(network, "Gemm")
    assert (found[first.output[0]], found[second.output[0]]) == (FLOAT, HALF)
    assert {network.maker(name) for name in (*first.input[:2], *second.input[:2])} == {"DequantizeLinear"}
    assert network.weights[network.producers[first.input[0]].input[1]].dtype == np.float32


def test_a_norm_and_a_gelu_that_are_written_out_stay_in_single_precision(build, draw, written):
    builder = build()
    hidden = builder.linear("x", 32, 32)
    axis = builder.constant(np.array([-1]))
    distance = builder.node("Sub", hidden, builder.node("ReduceMean", hidden, axis))
    spread = builder.node("Sqrt", builder.node("ReduceMean", builder.node("Mul", distance, distance), axis))
    normed = builder.linear(builder.node("Div", distance, spread), 32, 32)
    cube = builder.node("Mul", builder.node("Mul", normed, normed), normed)
    bent = builder.node(
        "Tanh", builder.node("Add", normed, builder.node("Mul", cube, builder.constant(np.float32(0.04))))
    )
    builder.linear(builder.node("Mul", normed, bent), 32, 32, output="y")
    network = written(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), draw(8, 1, None, 32))
    found = kinds(network)
    for node in of(network, "Sub", "Mul", "Add", "ReduceMean", "Sqrt", "Div", "Tanh"):
        assert {found[name] for name in (*node.input, *node.output) if name in found} == {
            FLOAT
        } or node.op_type == "Sub"
    assert {found[node.output[0]] for node in of(network, "Gemm")} == {HALF}


def test_a_residual_stream_of_half_precision_is_added_in_half_precision(build, draw, written):
    builder = build()
    stream = builder.linear("x", 32, 32)
    for _ in range(2):
        ones, zeros = builder.constant(np.ones(32, "f4")), builder.constant(np.zeros(32, "f4"))
        normed = builder.node("LayerNormalization", stream, ones, zeros, axis=-1)
        stream = builder.node("Add", stream, builder.linear(normed, 32, 32))
    builder.node("Mul", stream, builder.constant(np.float32(2)), output="y")
    network = written(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), draw(8, 1, None, 32))
    found = kinds(network)
    assert {found[node.output[0]] for node in of(network, "Add")} == {HALF}
    assert {found[name] for node in of(network, "LayerNormalization") for name in (node.input[0], node.output[0])} == {
        FLOAT
    }


def test_attention_multiplies_in_half_precision(words):
    found = kinds(words)
    assert {found[node.output[0]] for node in of(words, "MatMul")} == {HALF}


def test_shapes_are_read_without_a_cast(words):
    assert not [node for node in of(words, "Shape") if words.maker(node.input[0]) == "Cast"]


def test_an_older_file_is_written_in_the_newer_edition(transformer, draw, quantise):
    old = onnx.version_converter.convert_version(transformer, 17)
    content = quantise(old, draw(16, 1, None, 32), TENSORRT)
    assert onnx.load_from_string(content).opset_import[0].version == OPSET
    assert check(content, old.SerializeToString(), draw(8, 1, None, 32, seed=2)).fault(0.99) is None


def test_behind_an_operator_of_a_runtime_single_precision_is_kept_where_nothing_was_seen(build, draw, quantise):
    builder = build()
    hidden = builder.node("Gelu", builder.linear("x", 32, 64), domain="com.microsoft")
    builder.linear(hidden, 64, 32, output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}, domains=["com.microsoft"])
    content = quantise(model, draw(8, 1, 16, 32), TENSORRT)
    assert check(content, model.SerializeToString(), draw(4, 1, 16, 32, seed=2)).fault(0.99) is None
