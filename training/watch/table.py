"""A training on a terminal: a table of its epochs that grows, and how far it is."""

import time
from types import TracebackType

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from mmer.training.history import best_of
from mmer.training.watch.row import Row
from mmer.training.watch.watcher import Plan, Watcher

_AROUND = 8
"""Lines of a terminal that the table leaves to its frame, the bar and what stood there."""


class LiveTable(Watcher):
    """Shows as many of the last epochs as fit, and the best of all in bold; it goes away when the training is over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: list[Row] = []
        self._keep, self._clips_per_step, self._begun, self._steps_before = "uar", 0.0, 0.0, 0
        self._bar = Progress(
            TextColumn("step"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(), console=console,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, speed="")
        self._live = Live(console=console, transient=True, get_renderable=self.shown, refresh_per_second=4)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._live.stop()

    def begin(self, plan: Plan) -> None:
        """Print the remarks and open the table."""
        for remark in plan.remarks:
            self._console.print(Text(f"remark: {remark}", style="yellow"))
        fit = plan.settings.fit
        self._keep, self._clips_per_step = fit.keep, plan.clips * fit.epochs / max(plan.steps, 1)
        self._bar.update(self._task, total=plan.steps)
        self._begun = time.monotonic()
        self._live.start()

    def step(self, done: int) -> None:
        """Move the bar on; the first steps may have been done before an interruption."""
        if not self._steps_before:
            self._steps_before = done
        taken_s = time.monotonic() - self._begun
        speed = (done - self._steps_before) * self._clips_per_step / max(taken_s, 1e-9)
        self._bar.update(self._task, completed=done, speed=f"{speed:.1f} clips/s")

    def epoch(self, row: Row) -> None:
        """Add a row."""
        self._rows.append(row)

    def shown(self) -> Group:
        """Return the table with the bar below it."""
        return Group(*([self._table()] if self._rows else []), self._bar)

    def _table(self) -> Table:
        rows, fitting = list(self._rows), max(self._console.height - _AROUND, 1)
        best = rows[best_of([row.epoch for row in rows], self._keep)]
        last = rows[-fitting:]
        table = Table(
            *(Column(name, justify="right") for name in rows[-1].cells), box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
        )
        for row in last if best in last else [best, *last[1:]]:
            table.add_row(*row.cells.values(), style="bold green" if row is best else None)
        return table
