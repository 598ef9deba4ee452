"""The float torch model beside its bundle: the reference that the bench compares every graph with."""

from pathlib import Path

import torch

from mmer.edge.bench.contender import Contender, Start
from mmer.edge.bench.fresh import Order, report
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.golden import replay
from mmer.edge.errors import SettingError
from mmer.edge.pipeline.loading import Loaded
from mmer.export.subgraphs import Split, TorchSession
from mmer.export.systems import SPLITS
from mmer.export.writer import GOLDEN_TOLERANCE
from mmer.training.checkpoint import WEIGHTS, Checkpoint


class OtherModelError(SettingError):
    """A checkpoint and a bundle are not the same model."""

    def __init__(self, checkpoint: Path, bundle: Path, what: str) -> None:
        super().__init__(
            f"{checkpoint} is another model than {bundle}: {what}; name the checkpoint that it was exported from"
        )


def torch_contender(path: Path, checkpoint: Checkpoint, bundle: Bundle, threads: int) -> Contender:
    """Return the model of a checkpoint, read from `path`; raise `OtherModelError` unless it is that of the bundle.

    Torch is set to `threads` for the whole process.
    """
    torch.set_num_threads(threads)
    sessions = torch_sessions(path, checkpoint, bundle)
    graphs = {name: Loaded("fp32", "torch", None) for name in sessions}
    size = (path / WEIGHTS).stat().st_size
    start = Start("mmer.export.reference", str(path.absolute()))
    return Contender("torch", sessions, graphs, size, torch.__version__, start)


def torch_sessions(path: Path, checkpoint: Checkpoint, bundle: Bundle) -> dict[str, TorchSession]:
    """Return every graph of a bundle as torch computes it; raise `OtherModelError` when it computes something else."""
    manifest, facts = bundle.manifest, checkpoint.facts
    if facts.labels != manifest.head.labels:
        raise OtherModelError(path, bundle.path, f"its labels are {', '.join(facts.labels)}")
    inputs = manifest.inputs
    if (facts.inputs.video, facts.inputs.audio, facts.inputs.text) != (inputs.video, inputs.audio, inputs.text):
        raise OtherModelError(path, bundle.path, "it prepares its inputs differently")
    split = _split(checkpoint)
    if split.plan != manifest.plan:
        raise OtherModelError(path, bundle.path, "it has another plan")
    sessions = _sessions(split)
    for name, session in sessions.items():
        if (off := replay(session, bundle.golden(name)).value) > GOLDEN_TOLERANCE:
            raise OtherModelError(path, bundle.path, f"it has other weights ({name} is off by {off:.2g} of its range)")
    return sessions


def _split(checkpoint: Checkpoint) -> Split:
    return SPLITS[checkpoint.facts.model](checkpoint.model, checkpoint.facts.inputs)


def _sessions(split: Split) -> dict[str, TorchSession]:
    return {graph.name: TorchSession(graph) for graph in split.subgraphs}


def main() -> None:
    """Report on a checkpoint in a fresh process, as `mmer.edge.bench.fresh` does on a bundle."""
    order = Order.received()
    path = Path(order.argument)
    torch.set_num_threads(order.threads)
    report(order, lambda _: _sessions(_split(Checkpoint.open(path))))
