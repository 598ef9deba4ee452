"""A checkpoint to train on from: everything it has learned but what its labels mean, where they are others."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mmer.training.checkpoint import Checkpoint
from mmer.training.model import EmotionModel
from mmer.training.zoo import ZOO


@dataclass(frozen=True, slots=True)
class Start:
    """Where fine-tuning begins."""

    name: str
    """That of its folder, for the record."""
    checkpoint: Checkpoint

    @classmethod
    def open(cls, path: Path) -> "Start":
        """Read a checkpoint; raise `CheckpointError` when it is none."""
        return cls(path.resolve().name, Checkpoint.open(path))

    def labels(self, found: Sequence[str]) -> tuple[str, ...]:
        """Return the labels to train for: its own, in its own order, if those found are the same."""
        own = self.checkpoint.facts.labels
        return own if set(found) == set(own) else tuple(found)

    def adapted(self, labels: tuple[str, ...], seed: int) -> Checkpoint:
        """Return the checkpoint for these labels; heads for other labels than its own begin at random."""
        facts = self.checkpoint.facts
        sizes = replace(facts.settings, classes=len(labels))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = ZOO[facts.model].build(sizes, None)
        learned = self.checkpoint.model.state_dict()
        if labels != facts.labels:
            learned |= {name: value for name, value in model.state_dict().items() if name.startswith(model.heads)}
        model.load_state_dict(learned)
        return replace(self.checkpoint, model=model, facts=replace(facts, settings=sizes, labels=labels))

    def record(self, labels: tuple[str, ...]) -> dict[str, object]:
        """Return what the provenance of a fine-tuned model says of this."""
        facts = self.checkpoint.facts
        return {
            "checkpoint": self.name,
            "weights": weights_digest(self.checkpoint.model),
            "labels": list(facts.labels),
            "heads": "kept" if labels == facts.labels else "replaced",
            "provenance": dict(facts.provenance),
        }


def weights_digest(model: EmotionModel) -> str:
    """Return the sha256 of all parameters and buffers with their names."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
