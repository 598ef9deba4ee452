"""A contender in a process of its own: how long it takes to the first answer, and how much memory.

Not in the bench's own process: there every contender's memory is added up, and libraries and files are warm.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.backends.session import Session
from mmer.edge.bench.contender import Contender
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Entry
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.launch import RunOptions, open_sessions
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.memory import children, high_water_mb
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher
from mmer.edge.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Order:
    """What the process is to do; words may be too long for a command line."""

    bundle: str
    argument: str
    """As `Start.argument` says."""
    threads: int
    length_s: float
    hop_s: float
    clip: Mapping[str, object]
    """Path, times, words and further columns of an index entry."""

    @classmethod
    def received(cls) -> "Order":
        """Return the one on this process' standard input."""
        return cls(**json.load(sys.stdin))

    def entry(self) -> Entry:
        """Return the clip to be watched."""
        facts = dict(self.clip)
        return Entry(Path(str(facts.pop("path"))), label="", split="", speaker="", **facts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Fresh:
    """What came of one or more starts; `None` where `note` says why."""

    cold_start_ms: float | None
    """From opening the model to the first answer, libraries loaded before; the median of the starts."""
    peak_rss_mb: float | None
    """The largest of the starts, without the decoder process."""
    decoder_rss_mb: float | None
    """The decoder process by itself."""
    note: str | None = None


def start_afresh(contender: Contender, order: Order, times: int) -> Fresh:
    """Start a contender so often, one process after another."""
    if times == 0:
        return Fresh(None, None, None, "not asked for: 0 starts")
    code = f"import sys; sys.path[:] = [p for p in sys.path if p]; from {contender.start.module} import main; main()"
    command = [sys.executable, "-c", code]
    found: list[dict[str, float | None]] = []
    for _ in range(times):
        done = subprocess.run(command, input=json.dumps(asdict(order)), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            return Fresh(None, None, None, f"the process failed: {said}")
        found.append(json.loads(done.stdout))
    columns = {name: [one[name] for one in found] for name in found[0]}
    own, decoder = (_figure(columns[name], max) for name in ("peak_rss_mb", "decoder_rss_mb"))
    return Fresh(
        _figure(columns["cold_start_ms"], median), own, decoder, None if own else "memory is told on Linux only"
    )


def _figure(values: Sequence[float | None], pick: Callable[[Sequence[float]], float]) -> float | None:
    known = [value for value in values if value is not None]
    return round(pick(known), 1) if known else None


def report(order: Order, sessions: Callable[[Bundle], Mapping[str, Session]]) -> None:
    """Open the model, watch the clip to its end and print times and memory as JSON."""
    start = perf_counter()
    bundle = Bundle.open(Path(order.bundle))
    manifest, materials, detector = bundle.manifest, Materials.of(bundle), Mtcnn.open(OrtSettings(order.threads))
    executor = Executor(manifest.plan, manifest.graphs, sessions(bundle))
    recognizer = Recognizer(materials, executor, manifest.head, detector)
    with IsolatedDecoder() as decoder:
        watcher = Watcher(decoder, detector, manifest.inputs, WindowSettings(order.length_s, order.hop_s))
        first_ms = None
        for window in watcher.watch(Stretch.of(order.entry(), decoder), Course()):
            if recognizer.answer(window).label is not None and first_ms is None:
                first_ms = (perf_counter() - start) * 1e3
        decoders = [size for process in children() if (size := high_water_mb(process)) is not None]
    facts = {"cold_start_ms": first_ms, "peak_rss_mb": high_water_mb(), "decoder_rss_mb": max(decoders, default=None)}
    sys.stdout.write(json.dumps(facts))


def main() -> None:
    """Report on a bundle in the precision that the order names."""
    order = Order.received()
    options = RunOptions(precision=order.argument, threads=order.threads)
    report(order, lambda bundle: open_sessions(bundle, options).sessions)
