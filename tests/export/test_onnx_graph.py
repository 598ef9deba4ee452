from collections import Counter

import onnx
import pytest

from mmer.edge.backends.ort import OrtSession
from mmer.export.onnx_graph import OPSET, exported

NAMES = ("video_frame", "video_sequence", "audio", "text", "fusion")


def loaded(lively, name):
    return onnx.load_from_string(lively.graphs[name])


def operators(lively, name):
    return Counter(node.op_type for node in loaded(lively, name).graph.node)


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_says_what_the_plan_says(lively, name):
    session, subgraph = OrtSession.open(lively.graphs[name]), lively.subgraph(name)
    assert session.inputs == subgraph.inputs
    assert session.outputs == subgraph.outputs


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_holds_nothing_that_no_run_needs(lively, name):
    model = loaded(lively, name)
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
    assert not model.graph.value_info
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert not operators(lively, name).keys() & {"Identity", "Constant", "Dropout", "BatchNormalization"}
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": OPSET}


@pytest.mark.parametrize("name", ["audio", "text"])
def test_the_same_weights_give_the_same_bytes(lively, name):
    assert exported(lively.subgraph(name)) == lively.graphs[name]


def test_the_recurrent_net_stays_one_node_for_each_layer(lively):
    assert operators(lively, "audio")["GRU"] == 1


def test_a_softmax_over_a_single_key_is_not_in_the_fusion(lively):
    assert operators(lively, "fusion")["Softmax"] == 2  # video asks audio, audio asks video


def test_each_repvgg_block_is_one_convolution(lively):
    assert operators(lively, "video_frame")["Conv"] == 5
