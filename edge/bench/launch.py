"""An evaluation from its command to the figures: what was asked for, the model and the clips, and what is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.bench.folder import SUMMARY, write_evaluation
from mmer.edge.bench.judges import Judges
from mmer.edge.bench.verdict import ALL, Report, report_json
from mmer.edge.corpus import Corpus
from mmer.edge.errors import SettingError
from mmer.edge.files import claim

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how many of it are done, and of how many."""


class NoModelError(SettingError):
    """There is nothing at the path of a model that is to be measured."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: no such checkpoint or bundle; to train a model by its name first, "
            "name --train-on and --test-on instead of --data"
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    model: Path
    data: tuple[Path, ...]
    where: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    subsets: tuple[str, ...] = (ALL,)
    output: Path | None = None
    """A folder for the figures, a table and pictures."""
    exist_ok: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that was opened to be measured."""

    provenance: Mapping[str, object]
    measure: Callable[[Judges, str, Sequence[str], Callable[[int], None]], Report]
    """Takes the clips, the split, sets of modalities, and who hears how many clips are read."""


def launch(order: Order, opened: Callable[[Path], Subject], progress: Progress) -> Report:
    """Open the model, measure it and write what was found.

    Raises `NoModelError`, and whatever opening and measuring raise.
    """
    if not order.model.exists():
        raise NoModelError(order.model)
    if order.output is not None:
        claim(order.output, marker=SUMMARY, exist_ok=order.exist_ok)
    subject, whole = opened(order.model), Corpus.read(order.data)
    corpus = whole.where(order.where)
    clips = sum(entry.split == order.split for entry in corpus.entries)
    judges = Judges(corpus, whole, subject.provenance)
    report = subject.measure(judges, order.split, order.subsets, lambda done: progress("reading clips", done, clips))
    if order.output is not None and (found := report.subsets[ALL]):
        write_evaluation(order.output, found, report_json(report))
    return report
