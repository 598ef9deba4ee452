"""The whole comparison: each graph with its part of the model, and all graphs together with the whole model."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch

from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.backends.session import Session
from mmer.edge.bundle.graph import Graph
from mmer.edge.bundle.plan import LOGITS, WEIGHTS
from mmer.edge.pipeline.executor import Executor
from mmer.edge.tensors import Tensors
from mmer.export.cases import Window
from mmer.export.parity import Case, Difference, Place, check_graph, compare, spread
from mmer.export.subgraphs import Split, Subgraph, TorchSession
from mmer.training.collate import collate
from mmer.training.model import EmotionModel

WHOLE = "all together"
"""Stands for a graph's name where the whole plan was run."""

_PADDED = 4


@dataclass(frozen=True, slots=True)
class Parity:
    """What was found; nothing in it is beyond its tolerance."""

    differences: tuple[Difference, ...]
    spread: tuple[float, ...]
    """Standard deviation of each logit over the windows."""
    cases: Mapping[str, tuple[Case, ...]]
    """What each graph was tried on."""

    def shares(self) -> Mapping[str, float]:
        """Return for each graph how much of the tolerance its worst value uses up."""
        shares: dict[str, float] = {}
        for found in self.differences:
            graph = found.place.graph
            shares[graph] = max(shares.get(graph, 0.0), found.worst / found.tolerance)
        return shares

    def to_json(self) -> dict[str, object]:
        """Return the figures that matter."""
        return {"share_of_tolerance": self.shares(), "logit_std": list(self.spread)}


class Recorder:
    """A session that keeps what passes through it."""

    def __init__(self, session: Session) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.cases: list[Case] = []
        self._session = session

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs."""
        outputs = self._session.run(inputs)
        sizes = (f"{name} {list(array.shape)}" for name, array in inputs.items())
        self.cases.append(Case(f"{len(self.cases)} ({', '.join(sizes)})", inputs, outputs))
        return outputs


def check(model: EmotionModel, split: Split, graphs: Mapping[str, bytes], windows: Sequence[Window]) -> Parity:
    """Compare every graph with torch at every optimisation level, and the plan with the model.

    Raises `ParityError` at the first excess.
    """
    expected = answers(model, windows)
    recorders = {graph.name: Recorder(TorchSession(graph)) for graph in split.subgraphs}
    found = list(check_plan(split, recorders, expected, windows, "torch"))
    cases = {graph.name: _tried(graph, recorders[graph.name]) for graph in split.subgraphs}
    for name, content in graphs.items():
        found += check_graph(name, content, cases[name])
    sessions = {name: OrtSession.open(content) for name, content in graphs.items()}
    found += check_plan(split, sessions, expected, windows, OrtSettings().optimisation)
    return Parity(tuple(found), spread([answer[LOGITS] for answer in expected]), cases)


def answers(model: EmotionModel, windows: Sequence[Window]) -> tuple[Tensors, ...]:
    """Return logits and weights of the whole model in evaluation mode, which is not changed."""
    model = deepcopy(model).eval()
    return tuple(_answer(model, window) for window in windows)


def check_plan(
    split: Split, sessions: Mapping[str, Session], expected: Sequence[Tensors], windows: Sequence[Window], level: str
) -> list[Difference]:
    """Compare what the plan makes of the windows with what the whole model does."""
    executor = Executor(split.plan, {g.name: Graph(g.inputs, g.outputs, {}) for g in split.subgraphs}, sessions)
    found: list[Difference] = []
    for window, wanted in zip(windows, expected, strict=True):
        found += compare(wanted, executor.run(window.values()), Place(WHOLE, window.name, level))
    return found


def _answer(model: EmotionModel, window: Window) -> Tensors:
    frames = window.arrays.frames
    with torch.inference_mode():
        output = model(collate([window.arrays], 1 if frames is None else frames.shape[3]))
    return {LOGITS: output.logits.numpy(), WEIGHTS: output.weights.numpy()}


def _tried(graph: Subgraph, recorder: Recorder) -> tuple[Case, ...]:
    """Return what was recorded and, for a graph that reads a mask, some of it again with padding behind."""
    if not any(spec.name.endswith("_mask") for spec in graph.inputs):
        return tuple(recorder.cases)
    for case in recorder.cases[:_PADDED]:
        recorder.run(
            {name: np.pad(array, ((0, 0), (0, 1 + array.shape[1] // 2))) for name, array in case.inputs.items()}
        )
    return tuple(recorder.cases)
