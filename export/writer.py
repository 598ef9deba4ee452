"""From a checkpoint to a float bundle that has passed the gate."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch

from mmer.edge.bundle import golden, manifest
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Head, Manifest
from mmer.edge.bundle.notice import noticed
from mmer.edge.bundle.paths import TOKENIZER, golden_path
from mmer.edge.bundle.writer import claim_bundle, write_bundle
from mmer.export.card import UNLICENSED, model_card
from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.onnx_graph import OPSET, exported
from mmer.export.parity import SPREAD, Case, refuse_flat
from mmer.export.subgraphs import Split
from mmer.export.systems import SPLITS
from mmer.export.whole import Parity, check
from mmer.training.checkpoint import Checkpoint, Facts, versions
from mmer.training.model import EmotionModel
from mmer.training.recording import Inputs

SCHEMA = "mmer.export/1"

GOLDEN_TOLERANCE = 1e-3
"""Share of its range by which a float graph may deviate on another machine."""

_GOLDEN = 3


@dataclass(frozen=True, slots=True)
class Graphs:
    """A model as graphs that compute what it computes."""

    split: Split
    files: Mapping[str, bytes]
    parity: Parity


@dataclass(frozen=True, slots=True)
class Exported:
    """The bundle and what the gate found."""

    bundle: Bundle
    parity: Parity

    def to_json(self) -> dict[str, object]:
        """Return the facts under the schema `mmer.export/1`."""
        return {
            "schema": SCHEMA,
            "bundle": {
                "path": str(self.bundle.path),
                "name": self.bundle.manifest.name,
                "digest": self.bundle.digest,
            },
            "bytes": self._bytes(),
            "parity": self.parity.to_json(),
        }

    def lines(self) -> list[str]:
        """Return the same as lines of plain text."""
        sizes = self._bytes()
        name, digits = self.bundle.manifest.name, self.bundle.short
        return [
            f"{self.bundle.path}: {name}, digest {digits}, {sum(sizes.values()) / 1e6:.1f} MB in {len(sizes)} graphs",
            *(
                f"  {graph:<16} uses up {share:.1%} of the tolerance at its worst value"
                for graph, share in self.parity.shares().items()
            ),
        ]

    def _bytes(self) -> dict[str, int]:
        manifest = self.bundle.manifest
        return {name: manifest.files[_graph_path(name)].size for name in manifest.graphs}


def export_checkpoint(
    checkpoint: Checkpoint,
    path: Path,
    *,
    licence: str = UNLICENSED,
    notice: str | None = None,
    exist_ok: bool = False,
) -> Exported:
    """Write a bundle, or nothing: raises `ParityError` when a graph does not compute what the model computes.

    `notice` is what every answer of the model will say; raises `SettingError` unless it is one printable line.
    """
    claim_bundle(path, exist_ok=exist_ok)
    facts = replace(
        checkpoint.facts,
        metrics=noticed(checkpoint.facts.metrics, notice),
        provenance=_nameless(checkpoint.facts.provenance),
    )
    with _one_thread():
        graphs = gated(facts.model, checkpoint.model, facts.inputs)
        if min(graphs.parity.spread) < SPREAD:
            _rehearse(checkpoint, graphs.split)
    files = {
        **{_graph_path(name): content for name, content in graphs.files.items()},
        **{golden_path(name): golden.encode(_golden(cases)) for name, cases in graphs.parity.cases.items()},
        TOKENIZER: checkpoint.tokenizer.encode(),
        "MODEL_CARD.md": model_card(facts).encode(),
        "LICENSE": licence.encode(),
    }
    return Exported(write_bundle(path, _manifest(facts, graphs), files, exist_ok=exist_ok), graphs.parity)


def gated(system: str, model: EmotionModel, inputs: Inputs) -> Graphs:
    """Export every subgraph of a model and compare it; raise `ParityError` for the first that differs."""
    split = SPLITS[system](model, inputs)
    files = {graph.name: exported(graph) for graph in split.subgraphs}
    return Graphs(split, files, check(model, split, files, windows(split, inputs)))


def _rehearse(checkpoint: Checkpoint, split: Split) -> None:
    """Pass the gate with other weights: logits that hardly vary would agree whatever the graphs compute."""
    facts = checkpoint.facts
    lively = enliven(checkpoint.model, windows(split, facts.inputs), facts.inputs.video.size)
    refuse_flat(gated(facts.model, lively, facts.inputs).parity.spread)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: one sample at a time leaves a second one waiting, on a busy machine for minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _manifest(facts: Facts, graphs: Graphs) -> Manifest:
    inputs = facts.inputs
    return Manifest(
        name=f"{facts.model}-{facts.preset}",
        system=facts.model,
        preset=facts.preset,
        head=Head(facts.labels),
        inputs=manifest.Inputs(inputs.video, inputs.audio, inputs.text),
        plan=graphs.split.plan,
        graphs={
            graph.name: Graph(graph.inputs, graph.outputs, {"fp32": Variant(_graph_path(graph.name), GOLDEN_TOLERANCE)})
            for graph in graphs.split.subgraphs
        },
        metrics=dict(facts.metrics),
        provenance={**facts.provenance, "export": _provenance(graphs.parity)},
    )


def _nameless(provenance: Mapping[str, object]) -> Mapping[str, object]:
    """Return the provenance with speakers counted: a bundle travels further than consent to be named."""
    counts: dict[str, object] = {}
    if isinstance(speakers := provenance.get("speakers"), dict):
        counts["speakers"] = {split: len(names) for split, names in speakers.items() if isinstance(names, list)}
    if isinstance(leaking := provenance.get("leaking_speakers"), list):
        counts["leaking_speakers"] = len(leaking)
    return {**provenance, **counts}


def _provenance(parity: Parity) -> Mapping[str, object]:
    return {
        "opset": OPSET,
        "versions": {**versions(), **{name: version(name) for name in ("onnx", "onnxruntime", "optimum-onnx")}},
        "parity": parity.to_json(),
    }


def _golden(cases: Sequence[Case]) -> list[golden.Case]:
    """Return a few cases spread over those that were tried."""
    chosen = cases[:: max(1, len(cases) // _GOLDEN)][:_GOLDEN]
    return [golden.Case(case.inputs, case.outputs) for case in chosen]


def _graph_path(name: str) -> str:
    return f"graphs/{name}.fp32.onnx"
