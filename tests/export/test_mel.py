"""The mel front is part of the exported graph: samples go in, whatever computes it."""

from dataclasses import replace

import pytest
import torch

from mmer.edge.inputs.audio import AudioInput
from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.onnx_graph import exported
from mmer.export.systems import SPLITS
from mmer.export.whole import check
from mmer.training.confidence import FORMS
from mmer.training.recording import Inputs
from mmer.training.zoo import ZOO

INPUTS = Inputs(audio=AudioInput(rate_hz=16_000, max_samples=40_000, level="rms"))


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_mel_front_passes_the_gate_in_every_form_of_confidence(form):
    torch.manual_seed(0)
    tiny = ZOO["cafes"].presets["tiny"]
    audio = replace(tiny.audio, front="mel", summary=True, dropout=0.3)
    fresh = ZOO["cafes"].build(replace(tiny, confidence=form, audio=audio), None)
    tried = windows(SPLITS["cafes"](fresh, INPUTS), INPUTS)
    model = enliven(fresh, tried, INPUTS.video.size)
    split = SPLITS["cafes"](model, INPUTS)
    graphs = {graph.name: exported(graph) for graph in split.subgraphs}
    assert check(model, split, graphs, tried).cases
