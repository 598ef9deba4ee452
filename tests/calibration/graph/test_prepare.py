import numpy as np
import onnx
import onnxruntime as ort
import pytest

from mmer.calibration.graph.network import NameTakenError, Network
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.judgement.check import check
from mmer.edge.backends.ort import OrtSession


def outputs(model, given):
    return OrtSession.open(model.SerializeToString()).run(given)["y"]


@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_prepared_graph_computes_the_same_at_any_length(transformer, draw, length):
    (given,) = draw(1, 1, length, 32)
    np.testing.assert_allclose(outputs(prepared(transformer).model, given), outputs(transformer, given), atol=1e-5)


def test_every_linear_layer_becomes_one_gemm(transformer):
    operators = [node.op_type for node in prepared(transformer).nodes]
    assert operators.count("Gemm") == 6
    assert operators.count("MatMul") == 2  # of two activations


def test_a_relu_stays_next_to_its_gemm_and_two_layers_in_a_row_need_no_reshape_between(build):
    builder = build()
    hidden = builder.node("Relu", builder.linear("x", 32, 64))
    builder.linear(hidden, 64, 16, output="y")
    network = prepared(builder.model({"x": ["A", "B", 32]}, {"y": ["A", "B", 16]}))
    assert [n.op_type for n in network.nodes if n.op_type in ("Gemm", "Relu")] == ["Gemm", "Relu", "Gemm"]
    assert sum(n.op_type == "Reshape" for n in network.nodes) == 2


@pytest.fixture
def shared(build):
    """Two layers with one matrix, as torch keeps it, transposed in the graph before each."""
    builder = build()
    matrix, x = builder.weight(24, 32, name="shared"), "x"
    for _ in range(2):
        turned = builder.node("Transpose", matrix, perm=[1, 0])
        y = builder.node("Add", builder.node("MatMul", x, turned), builder.weight(24, scale=0.2))
        x = builder.linear(builder.node("Tanh", y), 24, 32)
    builder.node("Tanh", x, output="y")
    return builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})


def test_a_matrix_that_is_transposed_in_the_graph_becomes_a_part_of_its_layers_and_stays_one(shared, draw):
    network = prepared(shared)
    operators = [node.op_type for node in network.nodes]
    assert (operators.count("Gemm"), operators.count("Transpose"), operators.count("MatMul")) == (4, 0, 0)
    assert sum("shared" in node.input for node in network.nodes) == 2
    (given,) = draw(1, 1, 3, 32)
    np.testing.assert_allclose(outputs(network.model, given), outputs(shared, given), atol=1e-5)


def test_transposed_layers_run_in_int8_with_one_copy_of_the_weight(shared, draw, quantise, tmp_path):
    content = quantise(shared, draw(16, 1, None, 32))
    made = check(content, shared.SerializeToString(), draw(8, 1, None, 32, seed=2))
    assert made.fault(0.995) is None
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    network = Network.of(onnx.load(tmp_path / "optimised.onnx"))
    products = [node for node in network.nodes if node.op_type == "QGemm"]
    assert len(products) == 4
    assert len({node.input[3] for node in products}) == 3


def test_a_transposed_product_of_activations_is_left_alone(transformer):
    assert [node.op_type for node in prepared(transformer).nodes].count("Transpose") == 1


def test_a_product_without_a_bias_is_prepared_too(build, draw):
    builder = build()
    builder.node("MatMul", "x", builder.weight(32, 16), output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 16]})
    (given,) = draw(1, 1, 3, 32)
    np.testing.assert_allclose(outputs(prepared(model).model, given), outputs(model, given), atol=1e-5)


def test_a_sum_that_is_no_bias_is_left_alone(build, draw):
    builder = build()
    product = builder.node("MatMul", "x", builder.weight(32, 32))
    builder.node("Add", product, "x", output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})
    network = prepared(model)
    assert network.maker("y") == "Add"
    (given,) = draw(1, 1, 3, 32)
    np.testing.assert_allclose(outputs(network.model, given), outputs(model, given), atol=1e-5)


def test_stale_shapes_do_not_survive(transformer):
    transformer.graph.value_info.add().name = "matmul0"
    assert len(prepared(transformer).model.graph.value_info) == 0


def test_a_name_that_calibration_needs_is_refused(build):
    builder = build()
    louder = builder.node("Mul", "x", builder.constant(np.ones(16, "f4"), "flat.16"))
    builder.linear(louder, 16, 16, output="y")
    with pytest.raises(NameTakenError, match=r"weight flat\.16: calibration needs this name itself"):
        prepared(builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]}))
