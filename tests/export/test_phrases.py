"""A model that reads phrases is exported as one that reads with ALBERT is."""

from dataclasses import replace

import pytest
import torch

from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.onnx_graph import exported
from mmer.export.whole import check
from mmer.training.phrases import PhraseSettings
from mmer.training.recording import Inputs
from mmer.training.zoo import ZOO

INPUTS = Inputs()


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    sizes = ZOO["cafes"].presets["tiny"]
    return ZOO["cafes"].build(
        replace(sizes, text=replace(sizes.text, kind="phrases", phrases=PhraseSettings(3, 4))), None
    )


def test_every_graph_agrees_with_its_part_at_any_length_and_padding(model, cut):
    tried = windows(cut(model), INPUTS)
    lively = enliven(model, tried, INPUTS.video.size)
    split = cut(lively)
    graphs = {graph.name: exported(graph) for graph in split.subgraphs}
    parity = check(lively, split, graphs, tried)
    assert max(parity.shares().values()) < 1
    assert len(parity.cases["text"]) > 4
    assert split.vocabulary == 400
