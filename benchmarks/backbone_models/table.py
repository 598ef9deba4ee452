"""The rows of the table, for people and for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from backbone_models.judged import DEFAULT, Cosines
from backbone_models.made import Made

HEADER = (
    "| graph | form | centred cosine | in OpenVINO | levels | agrees | ms, 1 thread | ms, 2 threads | MB | made in s "
    "| peak MB | note |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One form of one graph."""

    graph: str
    made: Made
    cosines: Cosines | None
    ms: Mapping[int, float | None]
    """By threads."""
    least: float | None
    """Centred cosine that it has to reach; `None` for rivals and yardsticks."""

    @property
    def fault(self) -> str | None:
        """Why it does not hold what is asked of ours, `None` when it does."""
        if self.least is None:
            return None
        if self.cosines is None:
            return "there is none"
        worst = min((*self.cosines.centred.values(), self.cosines.openvino or 0.0))
        if not self.cosines.agrees:
            return "does not load or agree everywhere"
        return None if worst >= self.least else f"centred cosine {worst:.4f} < {self.least:g}"

    def to_json(self) -> dict[str, object]:
        """Return everything that was found."""
        facts = {**asdict(self.made), "path": self.made.path and self.made.path.name}
        cosines = None if self.cosines is None else {**asdict(self.cosines), "agrees": self.cosines.agrees}
        return {"graph": self.graph, **facts, "cosines": cosines, "ms": self.ms, "fault": self.fault}

    def line(self) -> str:
        """Return the row in Markdown."""
        found = self.cosines
        cells = [
            self.graph,
            self.made.maker,
            _number(found and found.centred.get(DEFAULT), ".5f"),
            _number(found and found.openvino, ".5f"),
            _number(found and found.levels, ".5f"),
            ("yes" if found.agrees else "no") if found and found.levels is not None else "-",
            *(_number(self.ms.get(threads), ".2f") for threads in (1, 2)),
            _number(self.made.mb or None, ".1f"),
            _number(self.made.seconds or None, ".0f"),
            _number(self.made.peak_mb or None, ".0f"),
            "; ".join(filter(None, (self.made.note, found.failure if found else "", self.fault))),
        ]
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def markdown(rows: Iterable[Row]) -> str:
    """Return the table."""
    return "\n".join((HEADER, *(row.line() for row in rows)))


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)
