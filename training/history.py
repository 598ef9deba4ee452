"""The course of a training: one row for each epoch."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mmer.edge.files import atomic_text
from mmer.training.branch import WHOLE


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training samples, then one over those for validation."""

    number: int
    """From 1."""
    loss: float
    accuracy: float
    uar: float
    macro_f1: float
    ovr_accuracy: float
    wall_s: float
    stage: str = WHOLE
    """The one that it belongs to."""


def best_of(epochs: Sequence[Epoch], keep: str) -> int:
    """Return the index of the first epoch that has most of `keep`."""
    return max(range(len(epochs)), key=lambda place: worth(epochs[place], keep))


def worth(epoch: Epoch, keep: str) -> float:
    """Return what epochs are compared by."""
    return WORTHS[keep](epoch)


WORTHS: Mapping[str, Callable[[Epoch], float]] = {
    "uar": lambda epoch: epoch.uar,
    "macro_f1": lambda epoch: epoch.macro_f1,
    "last": lambda epoch: float(epoch.number),
}
"""What the kept epoch may have most of; `last` chooses nothing by the validation samples."""


def write_history(epochs: Sequence[Epoch], folder: Path) -> None:
    """Write `history.csv` and `history.json` into a folder."""
    rows = [asdict(epoch) for epoch in epochs]
    with atomic_text(folder / "history.csv") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Epoch)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with atomic_text(folder / "history.json") as file:
        json.dump({"schema": "mmer.history/1", "epochs": rows}, file, indent=1, allow_nan=False)
        file.write("\n")
