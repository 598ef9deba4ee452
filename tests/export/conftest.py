from dataclasses import dataclass, replace

import pytest
import torch

from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.onnx_graph import exported
from mmer.export.systems import SPLITS
from mmer.export.whole import answers, check
from mmer.training.confidence import FORMS
from mmer.training.recording import Inputs
from mmer.training.zoo import ZOO

INPUTS = Inputs()


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small tensors: a second thread only waits for the first, and on a busy machine for long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class Lively:
    """A random model whose logits vary, cut and exported."""

    model: object
    split: object
    windows: tuple
    expected: tuple
    graphs: dict

    def subgraph(self, name):
        return next(graph for graph in self.split.subgraphs if graph.name == name)


@pytest.fixture(scope="session")
def fresh():
    """Builds a `tiny` model with the weights that training would start from."""

    def build(form="both"):
        torch.manual_seed(0)
        return ZOO["cafes"].build(replace(ZOO["cafes"].presets["tiny"], confidence=form), None)

    return build


@pytest.fixture(scope="session")
def cut():
    return lambda model: SPLITS["cafes"](model, INPUTS)


@pytest.fixture(scope="session")
def make(fresh, cut):
    made = {}

    def lively(form):
        if form not in made:
            tried = windows(cut(fresh(form)), INPUTS)
            model = enliven(fresh(form), tried, INPUTS.video.size)
            split = cut(model)
            graphs = {graph.name: exported(graph) for graph in split.subgraphs}
            made[form] = Lively(model, split, tried, answers(model, tried), graphs)
        return made[form]

    return lively


@pytest.fixture(scope="session", params=sorted(FORMS))
def each(request, make):
    """One lively model for each form of confidence."""
    return make(request.param)


@pytest.fixture(scope="session")
def lively(make):
    return make("both")


@pytest.fixture(scope="session")
def cases(lively):
    """What each graph of the lively model was tried on."""
    return check(lively.model, lively.split, lively.graphs, lively.windows).cases
