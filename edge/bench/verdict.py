"""What a model gets right on a split of a corpus, whatever runs it, as JSON and as text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product

from mmer.edge.bench.judged import Evaluation
from mmer.edge.bench.nulls import without_nan
from mmer.edge.bundle.plan import WEIGHED
from mmer.edge.errors import SettingError

ALL = "all"
SUBSETS: Mapping[str, tuple[bool, bool, bool]] = {ALL: (True, True, True)} | {
    "+".join(name for name, kept in zip(WEIGHED, bits, strict=True) if kept): bits
    for bits in product((True, False), (True, False), (True, False))
    if any(bits) and not all(bits)
}
"""The seven sets of modalities by name, as which of video, audio and text are kept; `all` takes what a clip has."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said about one model on one split of a corpus."""

    split: str
    corpus: str
    """Digest."""
    labels: tuple[str, ...]
    stamps: tuple[str, ...]
    """As `mmer.edge.bench.stamps` gives them."""
    clips: int
    subsets: Mapping[str, Evaluation | None]
    """By name; `None` where no clip has any of the modalities. A clip without them is not counted there."""
    protocol: str = "each clip whole"
    """What an answer to a clip is."""


def refuse_unknown(subsets: Sequence[str]) -> None:
    """Raise `SettingError` for a set of modalities that there is not."""
    if unknown := [name for name in subsets if name not in SUBSETS]:
        raise SettingError(f"no modalities are called {unknown[0]!r}; there are: {', '.join(SUBSETS)}")


def report_json(report: Report) -> dict[str, object]:
    """Return the report as JSON values; a figure that cannot be had is null."""
    facts = without_nan(asdict(report))
    assert isinstance(facts, dict)
    return {"schema": "mmer.eval/1", **facts}


def report_lines(report: Report) -> list[str]:
    """Return the report as text for people."""
    title = f"{report.clips} clips of the split {report.split}, corpus {report.corpus[:12]}, {report.protocol}"
    return [" ".join((title, *report.stamps)), *(_line(name, found) for name, found in report.subsets.items())]


def _line(name: str, found: Evaluation | None) -> str:
    if found is None:
        return f"{name}: no clip has any of these"
    scores, uar = found.scores, found.intervals["uar"]
    return ", ".join(
        (
            f"{name}: UAR {uar.value:.3f} ({uar.level:.0%} {uar.low:.3f} to {uar.high:.3f})",
            f"accuracy {scores.accuracy:.3f}",
            f"macro F1 {scores.macro_f1:.3f}",
            f"averaged one-vs-rest accuracy {scores.ovr_accuracy:.3f}",
            f"AUC {scores.auc:.3f}",
            f"ECE {scores.ece:.3f}",
            f"{scores.clips} clips",
        )
    )
