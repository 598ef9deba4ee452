"""One contestant as a process of its own: how long it takes, what it costs, and the memory of it and its children."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PERIOD_S = 0.05
"""Between two looks at the memory."""
_DIVIDED_EVERY = 10
"""How many looks go by until shared memory is divided again: for this the kernel walks through all pages."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ContestantError(Exception):
    """A contestant did not come to its end."""

    def __init__(self, command: Sequence[str], said: str) -> None:
        super().__init__(f"{' '.join(command)}\n{said[-2000:]}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and the children that it waited for took."""

    said: str
    """Its standard output."""
    started_s: float
    """On the clock of `time.monotonic`, which all processes share."""
    wall_s: float
    cpu_s: float
    memory: "Memory"


@dataclass(slots=True)
class Memory:
    """Peaks in MB: sampled sums over all processes, and each process's own."""

    rss_mb: float = 0.0
    """Of the sum of resident memory; pages that processes share count in each."""
    pss_mb: float = 0.0
    """Of the sum with shared pages divided among those that share them."""
    looks: int = 0
    own_mb: dict[int, float] = field(default_factory=dict)
    """The high-water mark that the kernel keeps for each process since it began its program, by process id."""

    def look(self, root: int) -> None:
        """Take one sample of a process and its descendants."""
        processes = list(_family(root))
        self.rss_mb = max(self.rss_mb, sum(map(_rss_mb, processes)))
        if self.looks % _DIVIDED_EVERY == 0:
            self.pss_mb = max(self.pss_mb, sum(_field_mb(one, "smaps_rollup", "Pss:") for one in processes))
        self.looks += 1
        for one in processes:
            self.own_mb[one] = max(self.own_mb.get(one, 0.0), _field_mb(one, "status", "VmHWM:"))


def watched(command: Sequence[str], environ: Mapping[str, str]) -> Usage:
    """Run a command to its end; raise `ContestantError` when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started_s = time.monotonic()
        process = _start(command, environ, out.fileno(), err.fileno())
        memory, ended = Memory(), threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, memory, ended))
        sampler.start()
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started_s
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        sampler.join()
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise ContestantError(command, err.read().decode(errors="replace"))
        return Usage(out.read().decode(), started_s, wall_s, used.ru_utime + used.ru_stime, memory)


def first_line_s(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return how long a command takes to its first line; then it is stopped."""
    started_s = time.monotonic()
    process = _start(command, environ, subprocess.PIPE, subprocess.DEVNULL)
    assert process.stdout is not None
    line = process.stdout.readline()
    taken_s = time.monotonic() - started_s
    process.terminate()
    process.stdout.close()
    process.wait()
    if not line:
        raise ContestantError(command, "it said nothing")
    return taken_s


def _start(command: Sequence[str], environ: Mapping[str, str], out: int, err: int) -> subprocess.Popen[bytes]:
    """Start a command where the folders of this repository are not on its path."""
    return subprocess.Popen(command, stdout=out, stderr=err, env=dict(environ), cwd=tempfile.gettempdir())


def _sample(root: int, memory: Memory, ended: threading.Event) -> None:
    while not ended.wait(PERIOD_S):
        memory.look(root)


def _family(root: int) -> Iterator[int]:
    """Yield a process and its descendants; one that has not begun its own program yet is still its parent."""
    yield root
    try:
        children = [int(one) for task in _tasks(root) for one in (task / "children").read_text().split()]
        program = Path(f"/proc/{root}/cmdline").read_bytes()
        for child in children:
            if Path(f"/proc/{child}/cmdline").read_bytes() != program:
                yield from _family(child)
    except OSError:  # it has just ended
        return


def _tasks(process: int) -> Iterator[Path]:
    return Path(f"/proc/{process}/task").iterdir()


def _rss_mb(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def _field_mb(process: int, file: str, name: str) -> float:
    try:
        lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name)), 0.0)
