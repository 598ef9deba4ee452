"""What a finished training says of itself."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mmer.training.branch import WHOLE
from mmer.training.history import Epoch
from mmer.training.train import Trained
from mmer.training.zoo import ZOO

TRAIN_SCHEMA, MODELS_SCHEMA = "mmer.train/1", "mmer.models/1"


def train_json(trained: Trained, path: Path) -> dict[str, object]:
    """Return the course of the training as JSON values."""
    facts = trained.checkpoint.facts
    return {
        "schema": TRAIN_SCHEMA,
        "checkpoint": str(path),
        "model": facts.model,
        "preset": facts.preset,
        "labels": list(facts.labels),
        "parameters": sum(p.numel() for p in trained.checkpoint.model.parameters()),
        "best": trained.result.best,
        "epochs": [asdict(epoch) for epoch in trained.result.epochs],
        "provenance": dict(facts.provenance),
    }


def train_lines(trained: Trained, path: Path) -> list[str]:
    """Return the course of the training as text."""
    best = trained.result.epochs[trained.result.best - 1]
    lines = [
        f"{_numbered(e)}  loss {e.loss:.3f}  val UAR {e.uar:.3f}  accuracy {e.accuracy:.3f}  "
        f"averaged one-vs-rest accuracy {e.ovr_accuracy:.3f}  {e.wall_s:.0f} s"
        for e in trained.result.epochs
    ]
    kept = f"{path}: epoch {best.number} kept, val UAR {best.uar:.3f}"
    return [*_start_lines(trained), *lines, kept, *_branch_lines(trained)]


def _numbered(epoch: Epoch) -> str:
    """Name an epoch, and its stage unless everything trains in it."""
    return f"epoch {epoch.number:3d}" + ("" if epoch.stage == WHOLE else f"  {epoch.stage}")


def _branch_lines(trained: Trained) -> list[str]:
    """Warn of branches that were not trained."""
    modality = trained.checkpoint.facts.provenance.get("modality", WHOLE)
    if modality == WHOLE:
        return []
    return [f"trained on {modality} alone: all other branches are as they began; judge it by `mmer eval --subsets`"]


def _start_lines(trained: Trained) -> list[str]:
    """Say what a fine-tuned model kept of the checkpoint it started from."""
    facts = trained.checkpoint.facts
    start = facts.provenance.get("start")
    if not isinstance(start, dict):
        return []
    kept = start["labels_kept"]
    if new := [label for label in facts.labels if label not in kept]:
        known = f"kept what they knew of {', '.join(kept)} and" if kept else "knew none of the labels and"
        line = f"started from {start['checkpoint']}; its heads {known} began anew for {', '.join(new)}"
    else:
        line = f"started from {start['checkpoint']} with its heads: it knew all labels"
    return [line, *_part_lines(start)]


def _part_lines(start: Mapping[str, object]) -> list[str]:
    """Say of each branch that came from a checkpoint of its own which labels were new to it."""
    provenance, kept = start["provenance"], start["labels_kept"]
    parts = provenance.get("parts", {}) if isinstance(provenance, dict) else {}
    assert isinstance(kept, list)
    unknown = {
        modality: [label for label in kept if label not in part.get("labels_kept", kept)]
        for modality, part in parts.items()
    }
    return [f"its {modality} branch began anew for {', '.join(new)}" for modality, new in unknown.items() if new]


def models_json() -> dict[str, object]:
    """Return the zoo as JSON values."""
    listed = [
        {
            "name": entry.name,
            "system": entry.system,
            "modalities": list(entry.modalities),
            "presets": {name: _parameters(entry.name, name) for name in entry.presets},
        }
        for entry in ZOO.values()
    ]
    return {"schema": MODELS_SCHEMA, "models": listed}


def models_lines() -> list[str]:
    """Return the zoo as text."""
    return [
        f"{entry.name}  {entry.system}; {', '.join(entry.modalities)}; parameters: "
        + ", ".join(f"{name} {_parameters(entry.name, name) / 1e6:.2f} M" for name in entry.presets)
        for entry in ZOO.values()
    ]


def _parameters(model: str, preset: str) -> int:
    entry = ZOO[model]
    return sum(p.numel() for p in entry.build(entry.presets[preset], None).parameters())
