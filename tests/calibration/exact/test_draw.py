import numpy as np
import onnx
import pytest

from mmer.calibration.exact.draw import draw
from mmer.calibration.exact.reference import Reference
from mmer.calibration.exact.rules import suspects
from mmer.calibration.exact.symptom import beyond
from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.errors import DeviceError

SEEDS = range(60)


@pytest.fixture(scope="module")
def drawings():
    return [draw(seed, levels=levels) for seed in SEEDS for levels in (False, True)]


def test_a_seed_draws_the_same_graph_again():
    first, second = (draw(7, levels=True) for _ in range(2))
    assert first.model.SerializeToString() == second.model.SerializeToString()
    assert np.array_equal(first.inputs["x"], second.inputs["x"])


def test_graphs_hold_what_nets_are_made_of(drawings):
    operators = {node.op_type for drawing in drawings for node in drawing.model.graph.node}
    assert operators >= {"Conv", "Gemm", "MatMul", "Softmax", "LayerNormalization", "Relu", "Concat", "MaxPool"}
    assert operators >= {"QuantizeLinear", "DequantizeLinear", "Identity", "Reshape", "Transpose"}


def test_every_graph_is_valid_and_can_be_judged(drawings):
    for drawing in drawings:
        onnx.checker.check_model(drawing.model)
        assert all(np.isfinite(v.centre).all() for v in Reference(drawing.model).outputs(drawing.inputs).values())


def test_scales_are_spread_over_many_magnitudes(drawings):
    scales = [
        float(onnx.numpy_helper.to_array(tensor).max())
        for drawing in drawings
        for tensor in drawing.model.graph.initializer
        if tensor.name.endswith(".scale")
    ]
    assert max(scales) / min(scales) > 1e4


def test_without_optimisation_onnx_runtime_computes_what_the_graphs_mean(drawings):
    """Two implementations that share no code agree within the radius, so neither it nor they are far off."""
    judged = 0
    for drawing in drawings:
        if any(suspect.rule == "stale-shapes" for suspect in suspects(drawing.model)):
            continue
        try:
            session = OrtSession.open(drawing.model.SerializeToString(), OrtSettings(optimisation="disabled"))
        except DeviceError:
            continue  # a type that it has no kernel for
        assert not beyond(Reference(drawing.model).outputs(drawing.inputs), session.run(drawing.inputs))
        judged += 1
    assert judged > 90
