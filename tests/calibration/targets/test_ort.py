"""The forms for ONNX Runtime and OpenVINO: what makes their kernels INT8."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from mmer.calibration.graph.network import Network
from mmer.calibration.judgement.engines import has_openvino
from mmer.calibration.targets.arm import ARM
from mmer.calibration.targets.openvino import OPENVINO
from mmer.calibration.targets.ort import ORT, ORT7


def looked(content):
    return Network.of(onnx.load_from_string(content))


def activations(network):
    """Return the zero points of what is put on levels at run time."""
    return [network.weights[node.input[2]] for node in network.nodes if node.op_type == "QuantizeLinear"]


def operators(content, path):
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize(("recipe", "kind"), [(ORT, "uint8"), (ORT7, "uint8"), (OPENVINO, "uint8"), (ARM, "int8")])
def test_activations_are_of_the_type_that_the_kernels_multiply(residual, draw, quantise, recipe, kind):
    network = looked(quantise(residual, draw(2, 2, 3, 24, 24), recipe))
    assert {zero.dtype.name for zero in activations(network)} == {kind}


@pytest.mark.parametrize("recipe", [ORT, ARM])
def test_behind_a_rectifier_zero_is_the_lowest_level_and_the_rectifier_vanishes(
    convolutions, draw, quantise, tmp_path, recipe
):
    content = quantise(convolutions, draw(4, 2, 3, 24, 24), recipe)
    zeros = activations(looked(content))
    assert {np.iinfo(zero.dtype).min for zero in zeros} <= {int(zero) for zero in zeros}
    found = operators(content, tmp_path / "optimised.onnx")
    assert found.count("QLinearConv") == 3
    assert "Relu" not in found


@pytest.mark.parametrize(("recipe", "kind"), [(ORT, "int32"), (ARM, "int32"), (OPENVINO, "float32")])
def test_biases_are_integers_where_kernels_add_integers(convolutions, draw, quantise, recipe, kind):
    network = looked(quantise(convolutions, draw(2, 2, 3, 24, 24), recipe))
    names = [node.input[2] for node in network.nodes if node.op_type == "Conv"]
    made = [network.producers[name].input[0] if name in network.producers else name for name in names]
    assert {network.weights[name].dtype.name for name in made} == {kind}


@pytest.mark.parametrize(("recipe", "written"), [(ORT, "Max"), (ARM, "Max"), (OPENVINO, "Relu")])
def test_a_rectifier_behind_a_gemm_is_written_as_the_runtime_needs_it(transformer, draw, quantise, recipe, written):
    network = looked(quantise(transformer, draw(2, 1, 3, 32), recipe))
    found = [n.op_type for n in network.nodes if network.maker(n.input[0]) == "Gemm" and n.op_type != "Reshape"]
    assert found == [written]


@pytest.mark.parametrize(("recipe", "most"), [(ORT, 127), (ORT7, 63), (ARM, 127), (OPENVINO, 127)])
def test_weights_use_the_bits_that_are_safe(transformer, draw, quantise, recipe, most):
    network = looked(quantise(transformer, draw(2, 1, 3, 32), recipe))
    matrices = [v.astype(int) for v in network.weights.values() if v.dtype == np.int8 and v.ndim == 2]
    assert max(int(np.abs(values).max()) for values in matrices) == most


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO is not installed")
def test_openvino_multiplies_integers(residual, transformer, draw, quantise):
    import openvino as ov

    for model, inputs, layers in ((residual, draw(4, 2, 3, 24, 24), 5), (transformer, draw(4, 1, None, 32), 6)):
        core = ov.Core()
        compiled = core.compile_model(core.read_model(quantise(model, inputs, OPENVINO)), "CPU")
        found = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
        products = [info for info in found if info["layerType"].astype(str) in ("Convolution", "FullyConnected")]
        assert [info["runtimePrecision"].astype(str) for info in products] == ["u8"] * layers
