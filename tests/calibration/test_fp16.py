import numpy as np
import onnx
import pytest

from mmer.calibration.fp16 import ELEMENTWISE, FOLLOWING, halved, peaks
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.judgement.check import check
from mmer.calibration.observation.observe import extremes

HALF, FLOAT = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT


def written(model, inputs):
    network = prepared(model)
    found = halved(network, FOLLOWING, peaks(network, FOLLOWING, lambda: inputs))
    onnx.checker.check_model(found, full_check=True)
    return found.SerializeToString(), Network.of(found)


def kinds(network):
    inferred = onnx.shape_inference.infer_shapes(network.model).graph
    return {v.name: v.type.tensor_type.elem_type for v in [*inferred.value_info, *inferred.input, *inferred.output]}


def test_inputs_and_outputs_stay_float32_and_the_file_is_half_as_large(transformer, draw):
    content, network = written(transformer, draw(4, 1, None, 32))
    found = kinds(network)
    assert (found["x"], found["y"]) == (FLOAT, FLOAT)
    matrices = [w for w in network.weights.values() if w.ndim == 2]
    assert {w.dtype for w in matrices} == {np.dtype("f2")}
    assert len(content) < 0.8 * len(transformer.SerializeToString())


def test_a_graph_in_half_precision_computes_the_same_at_every_level(transformer, convolutions, draw):
    for model, shape in ((transformer, (1, None, 32)), (convolutions, (None, 3, 24, 24))):
        content, _ = written(model, draw(4, *shape))
        assert check(content, model.SerializeToString(), draw(4, *shape, seed=2)).fault(0.9999) is None


def test_a_graph_whose_middle_overflows_keeps_that_part_in_single_precision(build, draw):
    builder = build()
    first = builder.node("Tanh", builder.linear("x", 16, 32))
    loud = builder.linear(first, 32, 32, builder.weight(32, 32, scale=2e4))
    louder = builder.linear(loud, 32, 32)
    quiet = builder.node("Tanh", builder.node("Mul", louder, builder.constant(np.float32(1e-5))))
    builder.node("Tanh", builder.linear(quiet, 32, 16), output="y")
    model = builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]})
    inputs = draw(8, 1, None, 16)
    content, network = written(model, inputs)
    assert [network.weights[n.input[1]].dtype.name for n in network.nodes if n.op_type == "Gemm"] == [
        *("float16", "float32", "float32", "float16")
    ]
    seen = extremes(Network.of(model), {loud: None}, lambda: inputs[:1])
    assert seen[loud].range(centred=False).peak > 65504
    assert check(content, model.SerializeToString(), draw(4, 1, None, 16, seed=2)).fault(0.9999) is None


def test_weights_that_would_vanish_stay_in_single_precision(build, draw):
    builder = build()
    tiny = builder.node("MatMul", "x", builder.weight(16, 16, scale=2e-8))
    loud = builder.node("Mul", tiny, builder.constant(np.float32(1e7)))
    builder.linear(builder.node("Tanh", loud), 16, 16, output="y")
    model = builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]})
    content, network = written(model, draw(4, 1, None, 16))
    assert sorted(w.dtype.name for w in network.weights.values() if w.ndim == 2) == ["float16", "float32"]
    assert check(content, model.SerializeToString(), draw(4, 1, None, 16, seed=2)).fault(0.9999) is None


def test_values_that_would_vanish_stay_in_single_precision(build, draw):
    builder = build()
    faint = builder.node("Mul", "x", builder.constant(np.float32(1e-7)))
    hidden = builder.node("MatMul", faint, builder.weight(16, 16))
    builder.node("Tanh", builder.node("Mul", hidden, builder.constant(np.float32(1e7))), output="y")
    model = builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]})
    content, network = written(model, draw(4, 1, None, 16))
    assert {w.dtype.name for w in network.weights.values() if w.ndim == 2} == {"float32"}
    assert check(content, model.SerializeToString(), draw(4, 1, None, 16, seed=2)).fault(0.9999) is None


@pytest.mark.parametrize("operator", ["Pow", "ReduceSum", "Sqrt", "Exp"])
def test_powers_roots_and_sums_stay_in_single_precision(build, draw, operator):
    builder = build()
    hidden = builder.node("Relu", builder.node("Gemm", "x", builder.weight(16, 16)))
    more = {"Pow": [np.float32(2)], "ReduceSum": [np.array([1])]}.get(operator, [])
    made = builder.node(operator, hidden, *(builder.constant(value) for value in more))
    builder.node("Tanh", made, output="y")
    model = builder.model({"x": ["N", 16]}, {"y": ["N", 1 if operator == "ReduceSum" else 16]})
    _, network = written(model, draw(4, None, 16))
    (node,) = (node for node in network.nodes if node.op_type == operator)
    assert kinds(network)[node.input[0]] == FLOAT


@pytest.mark.parametrize("operator", ["Softmax", "LayerNormalization", "Add"])
def test_what_is_delicate_stays_in_single_precision(transformer, draw, operator):
    _, network = written(transformer, draw(4, 1, None, 32))
    found = kinds(network)
    nodes = [node for node in network.nodes if node.op_type == operator]
    assert nodes
    assert {found[node.output[0]] for node in nodes} == {FLOAT}


def test_a_layer_that_was_seen_near_the_limit_stays_in_single_precision(build, draw):
    builder = build()
    large = builder.linear("x", 16, 16, builder.weight(16, 16, scale=3e4))
    small = builder.node("Mul", large, builder.constant(np.float32(1e-5)))
    builder.linear(builder.node("Tanh", small), 16, 16, output="y")
    model = builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]})
    content, network = written(model, draw(4, 1, None, 16))
    assert sorted(w.dtype.name for w in network.weights.values() if w.ndim == 2) == ["float16", "float32"]
    assert check(content, model.SerializeToString(), draw(4, 1, None, 16, seed=2)).fault(0.999) is None


def test_a_constant_that_is_reshaped_first_is_looked_at_too(build, draw):
    builder = build()
    axes = builder.constant(np.array([0]))
    rows = builder.node("Unsqueeze", builder.weight(16, 16, name="table"), axes)
    builder.node("Tanh", builder.node("Add", builder.linear("x", 16, 16), rows), output="y")
    model = builder.model({"x": [1, 16, 16]}, {"y": [1, 16, 16]})
    network = prepared(model)
    seen = peaks(network, ELEMENTWISE, lambda: draw(2, 1, 16, 16))
    assert seen[rows] == pytest.approx(np.abs(builder.weights["table"]).max())


def test_an_embedding_is_halved_and_its_indices_are_not(build):
    builder = build()
    rows = builder.node("Cast", "x", to=onnx.TensorProto.INT64)
    builder.node("Tanh", builder.node("Gather", builder.weight(50, 16, name="table"), rows), output="y")
    model = builder.model({"x": [1, "L"]}, {"y": [1, "L", 16]})
    inputs = [{"x": np.array([[1, 7, 49]], "f4")}]
    content, network = written(model, inputs)
    assert network.weights["table.half"].dtype == np.float16
    assert check(content, model.SerializeToString(), inputs).fault(0.9999) is None


def test_a_graph_that_ends_in_a_layer_gives_float32(build, draw):
    builder = build()
    builder.node("Gemm", "x", builder.weight(16, 16), builder.weight(16), output="y")
    model = builder.model({"x": ["N", 16]}, {"y": ["N", 16]})
    content, network = written(model, draw(4, None, 16))
    assert network.maker("y") == "Cast"
    assert check(content, model.SerializeToString(), draw(4, None, 16)).fault(0.9999) is None


def test_what_a_branch_reads_stays_in_single_precision(build, draw):
    builder = build()
    hidden = builder.node("Relu", builder.linear("x", 32, 32))
    loud = builder.node("Greater", builder.node("ReduceMax", "x", keepdims=0), builder.constant(np.float32(3)))
    value = onnx.helper.make_tensor_value_info
    branches = [
        onnx.helper.make_graph(
            [onnx.helper.make_node(name, [hidden], [f"{name}.out"])], name, [], [value(f"{name}.out", FLOAT, None)]
        )
        for name in ("Tanh", "Sigmoid")
    ]
    chosen = builder.node("If", loud, then_branch=branches[0], else_branch=branches[1])
    builder.node("Tanh", builder.linear(chosen, 32, 32), output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})
    content, network = written(model, draw(8, 1, None, 32))
    assert kinds(network)[hidden] == FLOAT
    assert {w.dtype.name for w in network.weights.values() if w.ndim == 2} == {"float16"}
    assert check(content, model.SerializeToString(), draw(4, 1, None, 32, seed=2)).fault(0.9999) is None
