"""Whoever is told of a training while it goes on."""

from abc import ABC
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.train import TrainSettings
from mmer.training.watch.row import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be done."""

    settings: TrainSettings
    corpus: str
    """Digest."""
    clips: int
    """Those of an epoch, for training and validation."""
    steps: int
    """Those of all epochs."""
    remarks: tuple[str, ...]
    """What is odd about the clips."""


class Watcher(AbstractContextManager["Watcher"], ABC):
    """Hears what it is interested in; it is open from before the beginning until after the end."""

    def __enter__(self) -> "Watcher":
        """Open what it writes to."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, after whatever ended the training."""

    def begin(self, plan: Plan) -> None:
        """Hear what is about to be done."""

    def step(self, done: int) -> None:
        """Hear how many steps are done."""

    def epoch(self, row: Row) -> None:
        """Hear of an epoch that is over."""


class Unwatched(Watcher):
    """Hears nothing."""


class Lines(Watcher):
    """Writes a line for each remark and each epoch."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def begin(self, plan: Plan) -> None:
        """Write the remarks."""
        for remark in plan.remarks:
            self._write(f"remark: {remark}\n")

    def epoch(self, row: Row) -> None:
        """Write the row."""
        self._write(f"{row.line}\n")


def listener(watchers: Sequence[Watcher], plan: Plan) -> Listener:
    """Return a listener that tells all of them."""

    def step(done: int) -> None:
        for watcher in watchers:
            watcher.step(done)

    def epoch(over: Epoch) -> None:
        row = Row.now(over, plan.clips)
        for watcher in watchers:
            watcher.epoch(row)

    return Listener(step, epoch)
