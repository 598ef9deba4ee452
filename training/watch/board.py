"""A training in TensorBoard."""

import json
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from mmer.edge.errors import MissingDependencyError
from mmer.training.watch.row import Row
from mmer.training.watch.watcher import Plan, Watcher


def require_board() -> None:
    """Raise `MissingDependencyError` when TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise MissingDependencyError("tensorboard", "watch")


class Board(Watcher):
    """Writes the figures of each epoch into a folder that `tensorboard --logdir` shows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def __enter__(self) -> "Board":
        """Open the folder."""
        require_board()
        self._writer = import_module("torch.utils.tensorboard").SummaryWriter(self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left."""
        self._writer.close()

    def begin(self, plan: Plan) -> None:
        """Write the settings as text."""
        self._writer.add_text("settings", f"```\n{json.dumps(asdict(plan.settings.recorded), indent=1)}\n```")
        for remark in plan.remarks:
            self._writer.add_text("remarks", remark)

    def epoch(self, row: Row) -> None:
        """Write the figures of the row."""
        for name, value in figures(row).items():
            self._writer.add_scalar(name, value, row.epoch.number)
        self._writer.flush()


def figures(row: Row) -> dict[str, float]:
    """Return the figures of a row under the names that group them."""
    epoch = row.epoch
    found = {
        "loss/train": epoch.loss,
        "val/uar": epoch.uar,
        "val/accuracy": epoch.accuracy,
        "val/macro_f1": epoch.macro_f1,
        "val/ovr_accuracy": epoch.ovr_accuracy,
        "speed/clips_per_s": row.clips_per_s,
        "speed/epoch_s": epoch.wall_s,
        "memory/process_mb": row.host_mb,
        "memory/gpu_mb": row.gpu_mb,
    }
    return {name: value for name, value in found.items() if value is not None}
