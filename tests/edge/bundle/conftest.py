"""A bundle of two tiny graphs: features of a frame, and what the window makes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import golden
from mmer.edge.bundle.bundle import Bundle, seal
from mmer.edge.bundle.golden import Case
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Head, Inputs, Manifest
from mmer.edge.bundle.paths import golden_path
from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.inputs.video import VideoInput
from mmer.edge.tensors import TensorSpec

MODEL = {"ir_version": 10, "opset_imports": [helper.make_opsetid("", 18)]}


def linear(name_in: str, shape: list[object], name_out: str, weights: np.ndarray) -> onnx.ModelProto:
    """One MatMul of the last axis."""
    value_in = helper.make_tensor_value_info(name_in, TensorProto.FLOAT, shape)
    value_out = helper.make_tensor_value_info(name_out, TensorProto.FLOAT, [*shape[:-1], weights.shape[1]])
    node = helper.make_node("MatMul", [name_in, "weights"], [name_out])
    constants = [numpy_helper.from_array(weights, "weights")]
    return helper.make_model(helper.make_graph([node], "linear", [value_in], [value_out], constants), **MODEL)


@dataclass(frozen=True)
class Parts:
    """What a bundle is written from."""

    manifest: Manifest
    files: Mapping[str, bytes]


@pytest.fixture
def parts() -> Parts:
    random = np.random.default_rng(0)
    frame = linear("crops", ["N", 6], "features", random.normal(size=(6, 4)).astype(np.float32))
    window = linear("features", [1, "T", 4], "steps", random.normal(size=(4, 3)).astype(np.float32))
    window.graph.node.append(helper.make_node("ReduceMean", ["steps", "axes"], ["logits"], keepdims=0))
    window.graph.initializer.append(numpy_helper.from_array(np.array([1]), "axes"))
    window.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3]))
    graphs = {"frame": frame.SerializeToString(), "window": window.SerializeToString()}
    cases = {"frame": random.normal(size=(2, 6)), "window": random.normal(size=(1, 5, 4))}
    files = {"MODEL_CARD.md": b"# A model\n", "LICENSE": b"free\n"}
    for (name, graph), values in zip(graphs.items(), cases.values(), strict=True):
        session = OrtSession.open(graph)
        inputs = {session.inputs[0].name: values.astype(np.float32)}
        files[f"graphs/{name}.fp32.onnx"] = graph
        files[golden_path(name)] = golden.encode([Case(inputs, session.run(inputs))])
    specs = {
        "frame": (TensorSpec("crops", "float32", ("N", 6)), TensorSpec("features", "float32", ("N", 4))),
        "window": (TensorSpec("features", "float32", (1, "T", 4)), TensorSpec("logits", "float32", (1, 3))),
    }
    manifest = Manifest(
        name="tiny",
        system="cafes",
        preset="tiny",
        head=Head(("happy", "neutral", "sad")),
        inputs=Inputs(video=VideoInput()),
        plan=Plan.checked(
            (Source("crops", "video", "frame"),),
            (
                Stage("frame", "frame", "frame", ("crops",), ("features",), ("video",)),
                Stage("window", "window", "window", ("features",), ("logits",), ("video",)),
            ),
        ),
        graphs={
            name: Graph((given,), (made,), {"fp32": Variant(f"graphs/{name}.fp32.onnx", 1e-3)})
            for name, (given, made) in specs.items()
        },
        metrics={"uar": 0.5},
        provenance={"seed": 1},
    )
    return Parts(manifest, files)


@pytest.fixture(params=["tiny", "tiny.zip"], ids=["folder", "zip"])
def bundle(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> Bundle:
    return write_bundle(tmp_path / request.param, parts.manifest, parts.files)


@pytest.fixture
def folder(parts: Parts, tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "tiny", parts.manifest, parts.files).path


@pytest.fixture
def packed(parts: Parts, tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "tiny.zip", parts.manifest, parts.files).path


@pytest.fixture
def reseal() -> Callable[[Path, bytes], None]:
    """Put a manifest with a right seal into a folder."""

    def put(folder: Path, manifest: bytes) -> None:
        (folder / "manifest.json").write_bytes(manifest)
        (folder / "manifest.sha256").write_bytes(seal(manifest))

    return put
