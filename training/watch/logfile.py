"""A training as a log: what was asked for, what is odd, a line for each epoch, and how it ended."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timezone
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from mmer.edge.files import creating
from mmer.training.checkpoint import versions
from mmer.training.watch.row import Row
from mmer.training.watch.watcher import Plan, Watcher

LOG = "train.log"


def log_path(output: Path) -> Path:
    """Return where the log of a training towards an output is written: beside it."""
    return output.with_name(f"{output.name}.{LOG}")


class LogFile(Watcher):
    """Adds to the end of a file, line by line, so that it tells of interrupted and failed attempts too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> "LogFile":
        """Open the file."""
        with creating(self._path):
            self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write how it ended; what cannot be written on a full disk is not worth another error."""
        with suppress(OSError):
            if error is not None:
                self.write("stopped", str(error) or "by a signal")
        with suppress(OSError):
            if self._file is not None:
                self._file.close()

    def begin(self, plan: Plan) -> None:
        """Write what is about to be done."""
        self.write("versions", json.dumps(versions()))
        self.write("settings", json.dumps(asdict(plan.settings.recorded)))
        self.write("corpus", f"{plan.corpus}, {plan.steps} steps, clips: {json.dumps(dict(plan.clips))}")
        for remark in plan.remarks:
            self.write("remark", remark)

    def epoch(self, row: Row) -> None:
        """Write the row."""
        self.write("epoch", row.line.removeprefix("epoch "))

    def write(self, kind: str, said: str) -> None:
        """Write a line now."""
        assert self._file is not None, "it is written to only while it is open"
        moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._file.write(f"{moment} {kind} {said}\n")
        self._file.flush()
