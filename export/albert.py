"""ALBERT by optimum's exporter; the only file that imports optimum."""

import tempfile
from copy import deepcopy
from pathlib import Path

import onnx
from onnx import helper
from optimum.exporters.onnx.convert import export_pytorch
from optimum.exporters.onnx.model_configs import AlbertOnnxConfig
from torch import Tensor, nn

from mmer.export.onnx_graph import OPSET, tracing
from mmer.export.subgraphs import Subgraph
from mmer.training.phrases import PhraseEncoder
from mmer.training.text import TextEncoder


class TextVector(nn.Module):
    """Token ids and their mask, both int64 `[1, L]`, to the vector of the line, `[1, D]`."""

    def __init__(self, encoder: TextEncoder | PhraseEncoder) -> None:
        super().__init__()
        self.encoder = deepcopy(encoder).eval()

    def forward(self, ids: Tensor, ids_mask: Tensor) -> tuple[Tensor]:
        """Run the encoder."""
        return (self.encoder(ids, ids_mask),)


class _Config(AlbertOnnxConfig):  # type: ignore[misc]
    """Batch 1, no token types, no pooler."""

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        return {"input_ids": {1: "L"}, "attention_mask": {1: "L"}}

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        return {"last_hidden_state": {1: "L"}}


def shared(subgraph: Subgraph) -> onnx.ModelProto:
    """Export a `TextVector` of ALBERT so that its layers go on sharing one set of weights."""
    assert isinstance(subgraph.module, TextVector)
    assert isinstance(subgraph.module.encoder, TextEncoder)
    encoder = deepcopy(subgraph.module.encoder.albert)
    encoder.pooler = None  # type: ignore[assignment]  # nobody reads it
    shapes = {"batch_size": 1, "sequence_length": subgraph.example()[0].shape[1]}
    with tempfile.TemporaryDirectory() as folder, tracing():
        path = Path(folder) / "albert.onnx"
        export_pytorch(encoder, _Config(encoder.config), OPSET, path, input_shapes=shapes)
        model = onnx.load(path)
    return _first_token(model, subgraph)


def _first_token(model: onnx.ModelProto, subgraph: Subgraph) -> onnx.ModelProto:
    """Return the model with the subgraph's names and the first token's vector as its only output."""
    graph = model.graph
    (hidden,) = graph.output
    (text,) = subgraph.outputs
    first = helper.make_tensor("first_token", onnx.TensorProto.INT64, [], [0])
    graph.initializer.append(first)
    graph.node.append(helper.make_node("Gather", [hidden.name, first.name], [text.name], axis=1))
    hidden.name = text.name
    new = dict(zip((value.name for value in graph.input), (spec.name for spec in subgraph.inputs), strict=True))
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
    for value in graph.input:
        value.name = new[value.name]
    return model
