"""A checkpoint to train on from: everything it has learned but what its labels mean, where they are others."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

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
        """Return the checkpoint for these labels; what it does not know of them yet begins at random."""
        facts = self.checkpoint.facts
        sizes = replace(facts.settings, classes=len(labels))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = ZOO[facts.model].build(sizes, None)
        learned = self.checkpoint.model.state_dict()
        if labels != facts.labels:
            fresh = {name: value for name, value in model.state_dict().items() if name.startswith(model.heads)}
            learned |= {name: _rows(value, labels, learned[name], facts.labels) for name, value in fresh.items()}
        model.load_state_dict(learned)
        return replace(self.checkpoint, model=model, facts=replace(facts, settings=sizes, labels=labels))

    def record(self, labels: tuple[str, ...]) -> dict[str, object]:
        """Return what the provenance of a fine-tuned model says of this."""
        facts = self.checkpoint.facts
        return {
            **self.identity(),
            "labels": list(facts.labels),
            "labels_kept": self.labels_kept(labels),
            "provenance": dict(facts.provenance),
        }

    def identity(self) -> dict[str, object]:
        """Return its name and the digest of its weights."""
        return {"checkpoint": self.name, "weights": weights_digest(self.checkpoint.model)}

    def labels_kept(self, labels: Sequence[str]) -> list[str]:
        """Return which of these labels it knows."""
        return [label for label in labels if label in self.checkpoint.facts.labels]


def _rows(fresh: Tensor, labels: Sequence[str], learned: Tensor, known: Sequence[str]) -> Tensor:
    """Return a head's rows, one for each label, with what was learned of those that were known."""
    rows = fresh.clone()
    for place, label in enumerate(labels):
        if label in known:
            rows[place] = learned[known.index(label)]
    return rows


def weights_digest(model: EmotionModel) -> str:
    """Return the sha256 of all parameters and buffers with their names."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
