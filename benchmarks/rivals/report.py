"""What came of a run: medians and spread of every contestant, ratios beside what they must reach, and tables."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rivals.contestants import Measured

SCHEMA = "mmer.bench.pipeline/1"
OURS, FLOAT = "ours, auto", "ours, fp32"

_STAGES = {
    "decode": "video decode",
    "convert": "convert",
    "faces": "detect / track",
    "crop": "crop",
    "sound": "sound",
    "inputs": "arrays, tokens",
    "video_frame": "video frame",
    "video_sequence": "video sequence",
    "audio": "audio",
    "text": "text",
    "fusion": "fusion",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over runs and the extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        """Take the values of all runs."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int) -> str:
        """Return the figure for a table."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


@dataclass(frozen=True, slots=True)
class Line:
    """A result and what it must reach."""

    name: str
    value: Figure
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Tell whether the median is good enough, `None` where nothing is asked."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.value.median >= self.least) and (
            self.most is None or self.value.median <= self.most
        )

    def to_json(self) -> dict[str, object]:
        """Return the line with its verdict."""
        return {**asdict(self), "met": self.met}


Runs = Mapping[str, Sequence[Measured]]


def verdicts(runs: Runs) -> list[Line]:
    """Return ours against the rivals, each at its better number of threads, and against the limits."""
    naive, fair = (_best(runs, kind) for kind in ("naive", "fair"))
    mine, single = runs[OURS], runs[FLOAT]
    return [
        Line("naive / ours, wall", _ratio(naive, mine), least=12.0),
        Line("naive / ours with start-up, wall", _ratio(naive, mine, whole=True)),
        Line("naive / ours fp32, wall", _ratio(naive, single)),
        Line("fair / ours, wall", _ratio(fair, mine)),
        Line("fair / ours with start-up, wall", _ratio(fair, mine, whole=True)),
        Line("fair / ours fp32, wall", _ratio(fair, single)),
        Line("naive / ours, CPU", Figure.of([_median(naive, "cpu") / one.cpu for one in mine])),
        Line("fair / ours, CPU", Figure.of([_median(fair, "cpu") / one.cpu for one in mine])),
        Line("ours, CPU s per s of video, start-up included", Figure.of([one.cpu for one in mine]), most=0.16),
        Line("ours, peak memory MB, decoder included", Figure.of([one.memory["rss"] for one in mine]), most=280.0),
    ]


def stage_rows(runs: Runs) -> Iterator[list[str]]:
    """Yield the table of budget.md section 7."""
    yield ["ms per second of video, wall", *runs]
    for name, title in _STAGES.items():
        yield [title, *(_stage(measured, name) for measured in runs.values())]
    yield ["everything else", *(f"{statistics.median(map(_rest, measured)):.1f}" for measured in runs.values())]
    yield from total_rows(runs)


def total_rows(runs: Runs) -> Iterator[list[str]]:
    """Yield what a whole run takes."""
    yield ["RTF, wall", *(_figure([one.rtf for one in measured], 3) for measured in runs.values())]
    whole = ([one.whole_rtf for one in measured if one.whole_rtf is not None] for measured in runs.values())
    yield ["RTF with start-up and end", *(_figure(values, 3) for values in whole)]
    yield ["CPU s per s", *(_figure([one.cpu for one in measured], 3) for measured in runs.values())]
    yield ["start-up, s", *(_figure([one.startup_s for one in measured], 2) for measured in runs.values())]
    yield ["first answer, s", *(_figure([one.first_s for one in measured], 2) for measured in runs.values())]
    for name, title in (("rss", "sum"), ("pss", "sum, shared pages divided"), ("main", "main"), ("decoder", "decoder")):
        peaks = ([one.memory[name] for one in measured if name in one.memory] for measured in runs.values())
        yield [f"peak memory MB, {title}", *(_figure(values, 0) for values in peaks)]


def graph_rows(record: Sequence[Mapping[str, object]], runs: Runs) -> Iterator[list[str]]:
    """Yield which precision ran, and what calibration found about INT8."""
    yield ["graph", "ran as", "INT8: centred cosine", "speed", "why"]
    ran = runs[OURS][0].facts["graphs"]
    for row in record:
        int8 = row["int8"] or {}
        cosine, race = int8.get("cosine"), int8.get("race")
        numbers = ["-" if cosine is None else f"{cosine:.4f}", f"{race['speed']:.2f} x" if race else "-"]
        yield [str(row["graph"]), ran[row["graph"]], *numbers, str(row["reason"])]


def verdict_rows(lines: Sequence[Line]) -> Iterator[list[str]]:
    """Yield ratios and limits."""
    yield ["", "median (low-high)", "asked", ""]
    for line in lines:
        asked = f">= {line.least:g}" if line.least else f"<= {line.most:g}" if line.most else ""
        met = "" if line.met is None else "met" if line.met else "MISSED"
        yield [line.name, line.value.text(3 if line.value.median < 1 else 1), asked, met]


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as lines of text with columns of one width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _best(runs: Runs, kind: str) -> Sequence[Measured]:
    """Return the rival at the number of threads that makes it faster."""
    return min((runs[name] for name in runs if name.startswith(kind)), key=lambda one: _median(one, "rtf"))


def _median(measured: Sequence[Measured], name: str) -> float:
    return statistics.median(getattr(one, name) for one in measured)


def _ratio(theirs: Sequence[Measured], mine: Sequence[Measured], *, whole: bool = False) -> Figure:
    """Return medians over each other; the extremes set the fastest of one against the slowest of the other."""
    a = Figure.of([one.rtf for one in theirs])
    b = Figure.of([one.whole_rtf if whole and one.whole_rtf else one.rtf for one in mine])
    return Figure(a.median / b.median, a.low / b.high, a.high / b.low)


def _stage(measured: Sequence[Measured], name: str) -> str:
    times = [one.stages[name] for one in measured if name in one.stages]
    return f"{statistics.median(times):.1f}" if times else "-"


def _rest(one: Measured) -> float:
    return 1e3 * one.rtf - sum(one.stages.values())


def _figure(values: Sequence[float], digits: int) -> str:
    return Figure.of(values).text(digits) if values else "-"
