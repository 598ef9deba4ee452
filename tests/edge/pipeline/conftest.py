"""A small model of three modalities with the dataflow of the large ones, as ONNX graphs made here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import golden
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.golden import Case
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Head, Inputs, Manifest
from mmer.edge.bundle.paths import TOKENIZER, golden_path
from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.text import TextInput
from mmer.edge.inputs.video import VideoInput
from mmer.edge.tensors import Tensors, TensorSpec

SIZE = 4
TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}


@dataclass(frozen=True)
class Part:
    """One graph as nodes `(operator, inputs, output, attributes)`."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    nodes: tuple[tuple[str, list[str], str, dict[str, object]], ...]
    constants: Mapping[str, np.ndarray]

    def content(self) -> bytes:
        infos = [[_info(spec) for spec in specs] for specs in (self.inputs, self.outputs)]
        nodes = [helper.make_node(op, given, [made], **attributes) for op, given, made, attributes in self.nodes]
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(nodes, "part", *infos, constants)
        return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


def _info(spec: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, TYPES[spec.dtype], spec.shape)


def floats(name: str, *shape: int | str) -> TensorSpec:
    return TensorSpec(name, "float32", shape)


def parts() -> dict[str, Part]:
    random = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    one = np.array([1])
    return {
        "video_frame": Part(
            (floats("crops", "N", 3, SIZE, SIZE),),
            (floats("frame_features", "N", 5),),
            (("Flatten", ["crops"], "flat", {}), ("MatMul", ["flat", "w"], "frame_features", {})),
            {"w": weights(3 * SIZE * SIZE, 5)},
        ),
        "video_sequence": Part(  # depends on the order of the frames
            (floats("frame_features", 1, "T", 5),),
            (floats("video", 1, "T", 5),),
            (("CumSum", ["frame_features", "axis"], "summed", {}), ("Tanh", ["summed"], "video", {})),
            {"axis": np.array(1)},
        ),
        "audio": Part(
            (floats("samples", 1, "N"),),
            (floats("audio", 1, "S", 2),),
            (
                ("Unsqueeze", ["samples", "one"], "channel", {}),
                ("Conv", ["channel", "w"], "steps", {"kernel_shape": [8], "strides": [4]}),
                ("Transpose", ["steps"], "audio", {"perm": [0, 2, 1]}),
            ),
            {"one": one, "w": weights(2, 1, 8)},
        ),
        "text": Part(
            (TensorSpec("ids", "int64", (1, "L")), TensorSpec("ids_mask", "int64", (1, "L"))),
            (floats("text", 1, 4),),
            (
                ("Gather", ["w", "ids"], "vectors", {}),
                ("Cast", ["ids_mask"], "mask", {"to": TensorProto.FLOAT}),
                ("Unsqueeze", ["mask", "last"], "column", {}),
                ("Mul", ["vectors", "column"], "masked", {}),
                ("ReduceSum", ["masked", "one"], "text", {"keepdims": 0}),
            ),
            {"w": weights(16, 4), "last": np.array([-1]), "one": one},
        ),
        "fusion": Part(
            (floats("video", 1, "T", 5), floats("audio", 1, "S", 2), floats("text", 1, 4), floats("present", 1, 3)),
            (floats("logits", 1, 3), floats("weights", 1, 3)),
            (
                ("ReduceMean", ["video", "one"], "v", {"keepdims": 0}),
                ("ReduceMean", ["audio", "one"], "a", {"keepdims": 0}),
                ("Concat", ["v", "a", "text", "present"], "all", {"axis": 1}),
                ("MatMul", ["all", "w"], "logits", {}),
                ("Softmax", ["present"], "weights", {}),
            ),
            {"one": one, "w": weights(14, 3)},
        ),
    }


PLAN = Plan.checked(
    (
        Source("crops", "video", "frame"),
        Source("samples", "audio", "window", least=8),
        Source("ids", "text", "utterance"),
        Source("ids_mask", "text", "utterance"),
        Source("present", None, "window"),
    ),
    (
        Stage("video_frame", "video_frame", "frame", ("crops",), ("frame_features",), ("video",)),
        Stage("video_sequence", "video_sequence", "window", ("frame_features",), ("video",), ("video",)),
        Stage("audio", "audio", "window", ("samples",), ("audio",), ("audio",)),
        Stage("text", "text", "utterance", ("ids", "ids_mask"), ("text",), ("text",)),
        Stage("fusion", "fusion", "window", ("video", "audio", "text", "present"), ("logits", "weights")),
    ),
)


class Counted:
    """A session that remembers the leading sizes of what it was given."""

    def __init__(self, session: OrtSession) -> None:
        self.session = session
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.batches: list[int] = []

    def run(self, inputs: Tensors) -> Tensors:
        self.batches.append(len(next(iter(inputs.values()))))
        return self.session.run(inputs)


@pytest.fixture
def plan() -> Plan:
    return PLAN


@pytest.fixture(scope="session")
def contents() -> dict[str, bytes]:
    return {name: part.content() for name, part in parts().items()}


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    return {
        name: Graph(part.inputs, part.outputs, {"fp32": Variant(f"graphs/{name}.fp32.onnx", 1e-3)})
        for name, part in parts().items()
    }


@pytest.fixture
def sessions(contents: dict[str, bytes]) -> dict[str, Counted]:
    return {name: Counted(OrtSession.open(content)) for name, content in contents.items()}


@pytest.fixture
def manifest(graphs: dict[str, Graph]) -> Manifest:
    inputs = Inputs(
        VideoInput(size=SIZE, margin=0, max_frames=3),
        AudioInput(rate_hz=8000, max_samples=4000),
        TextInput(max_tokens=6),
    )
    return Manifest("small", "cafes", "tiny", Head(("happy", "neutral", "sad")), inputs, PLAN, graphs)


@pytest.fixture
def bundle(manifest: Manifest, contents: dict[str, bytes], tmp_path: Path) -> Bundle:
    files = {f"graphs/{name}.fp32.onnx": content for name, content in contents.items()}
    for name, content in contents.items():
        session = OrtSession.open(content)
        inputs = {spec.name: _example(spec) for spec in session.inputs}
        files[golden_path(name)] = golden.encode([Case(inputs, session.run(inputs))])
    return write_bundle(tmp_path / "small.zip", manifest, {**files, TOKENIZER: tokenizer().to_str().encode()})


def _example(spec: TensorSpec) -> np.ndarray:
    return np.ones([size if isinstance(size, int) else 8 for size in spec.shape], spec.dtype)


def tokenizer() -> Tokenizer:
    words = ["<unk>", "<pad>", "the", "cat", "is", "happy"]
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made
