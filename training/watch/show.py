"""The watcher that suits where it is shown."""

from typing import TextIO

from rich.console import Console

from mmer.training.watch.table import LiveTable
from mmer.training.watch.watcher import Lines, Unwatched, Watcher


def shown(stream: TextIO, *, quiet: bool) -> Watcher:
    """Return a table for a terminal, lines for a pipe or a file, and nothing for whoever wants quiet."""
    if quiet:
        return Unwatched()
    return LiveTable(Console(file=stream)) if stream.isatty() else Lines(stream.write)
