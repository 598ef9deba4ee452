"""What is shown of an epoch: its figures, and what it took."""

from dataclasses import dataclass

import torch

from mmer.edge.memory import high_water_mb
from mmer.training.history import Epoch


@dataclass(frozen=True, slots=True)
class Row:
    """One epoch as somebody who watches sees it."""

    epoch: Epoch
    clips_per_s: float
    """Training and validation clips over the time of the epoch."""
    host_mb: float | None
    """The most memory that the process has had so far; `None` where the system does not tell."""
    gpu_mb: float | None
    """The most that torch has had of the GPU so far; `None` without one."""

    @classmethod
    def now(cls, epoch: Epoch, clips: int) -> "Row":
        """Return the row of an epoch over so many clips that has just ended."""
        gpu_mb = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else None
        return cls(epoch, clips / max(epoch.wall_s, 1e-9), high_water_mb(), gpu_mb)

    @property
    def cells(self) -> dict[str, str]:
        """The row as text, by column; without memory that nobody can tell."""
        epoch = self.epoch
        memory = {"memory": self.host_mb, "GPU": self.gpu_mb}
        return {
            "epoch": str(epoch.number),
            "loss": f"{epoch.loss:.3f}",
            "val UAR": f"{epoch.uar:.3f}",
            "accuracy": f"{epoch.accuracy:.3f}",
            "macro F1": f"{epoch.macro_f1:.3f}",
            "one-vs-rest": f"{epoch.ovr_accuracy:.3f}",
            "clips/s": f"{self.clips_per_s:.1f}",
            "time": f"{epoch.wall_s:.1f} s",
            **{name: f"{value:.0f} MB" for name, value in memory.items() if value is not None},
        }

    @property
    def line(self) -> str:
        """The row as one line that explains itself."""
        return "  ".join(f"{name} {cell}" for name, cell in self.cells.items())
