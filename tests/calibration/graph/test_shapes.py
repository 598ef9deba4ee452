import numpy as np
import onnx

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.shapes import forms


def test_types_and_shapes_are_told_behind_reshapes_too(transformer):
    found = forms(prepared(transformer))
    assert found["x"].shape == (1, None, 32)
    assert found["matmul0.flat"].shape == (None, 32)
    assert {form.kind for name, form in found.items() if name.endswith(".leading")} == {onnx.TensorProto.INT64}


def test_a_single_row_is_known_behind_a_reshape(build):
    builder = build()
    builder.linear("x", 32, 32, output="y")
    network = prepared(builder.model({"x": [1, 1, 32]}, {"y": [1, 1, 32]}))
    assert forms(network)["x.flat"].shape == (1, 32)


def test_large_weights_are_not_copied(build, monkeypatch):
    builder = build()
    builder.node("MatMul", "x", builder.constant(np.ones((512, 512), "f4")), output="y")
    network = Network.of(builder.model({"x": ["N", 512]}, {"y": ["N", 512]}))
    sizes = []
    infer = onnx.shape_inference.infer_shapes
    monkeypatch.setattr(
        onnx.shape_inference, "infer_shapes", lambda model, **k: sizes.append(model.ByteSize()) or infer(model, **k)
    )
    assert forms(network)["y"].shape == (None, 512)
    assert sizes[0] < 10_000
