import onnx
import pytest
import torch

from mmer.edge.tensors import TensorSpec
from mmer.export.albert import TextVector, shared
from mmer.export.onnx_graph import exported
from mmer.export.subgraphs import Subgraph
from mmer.training.text import TextSettings, text_encoder


def text_graph(settings):
    torch.manual_seed(0)
    encoder = text_encoder(settings)
    inputs = (TensorSpec("ids", "int64", (1, "L")), TensorSpec("ids_mask", "int64", (1, "L")))
    outputs = (TensorSpec("text", "float32", (1, settings.hidden_size)),)
    return Subgraph("text", TextVector(encoder).eval(), inputs, outputs, {"L": (1, 100)}, shared)


@pytest.fixture(scope="module")
def twelve_layers():
    sizes = {"vocab_size": 500, "embedding_size": 32, "hidden_size": 128, "num_attention_heads": 4}
    subgraph = text_graph(TextSettings(**sizes, num_hidden_layers=12, intermediate_size=512))
    return subgraph, exported(subgraph)


def test_twelve_layers_share_one_set_of_weights(twelve_layers):
    subgraph, content = twelve_layers
    weights = [
        t
        for t in onnx.load_from_string(content).graph.initializer
        if onnx.numpy_helper.to_array(t).ndim == 2 and min(t.dims) > 1
    ]
    parameters = [p for name, p in subgraph.module.named_parameters() if p.dim() == 2 and "pooler" not in name]
    assert len(weights) == len(parameters) == 10


def test_the_file_is_hardly_larger_than_the_weights(twelve_layers):
    subgraph, content = twelve_layers
    bytes_of_weights = sum(4 * p.numel() for name, p in subgraph.module.named_parameters() if "pooler" not in name)
    assert len(content) < 1.3 * bytes_of_weights


def test_the_pooler_is_left_out_of_the_graph_and_stays_in_the_model(twelve_layers):
    subgraph, content = twelve_layers
    assert b"pooler" not in content
    assert subgraph.module.encoder.albert.pooler is not None


def test_the_published_encoder_stays_below_46_mb():
    content = exported(text_graph(TextSettings()))
    assert len(content) < 46e6
