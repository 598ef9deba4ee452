"""How models that were trained on some sets do on the others, as JSON and as text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from mmer.edge.bench.judged import Evaluation
from mmer.edge.bench.nulls import without_nan
from mmer.edge.errors import DataError

SCHEMA = "mmer.eval.matrix/1"


class SharedSpeakersError(DataError):
    """People are learnt from in one set and tested on in another."""

    def __init__(self, train_on: str, test_on: str, speakers: Sequence[str]) -> None:
        some = ", ".join(sorted(speakers)[:5])
        super().__init__(
            f"{len(speakers)} speaker(s) of {train_on} are in the test of {test_on} too ({some}); leave them out by "
            "--where, or let every figure say LEAKY with --allow-leaky-split"
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One set, as trained on or as tested on."""

    name: str
    corpus: str
    """Digest."""
    clips: int
    speakers: int
    left_out: Mapping[str, int]
    """Clips by label, of labels that not all sets have."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One training, judged on one set."""

    train_on: str
    test_on: str
    stamps: tuple[str, ...]
    found: Evaluation


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every training on every test."""

    model: str
    preset: str
    modality: str
    seed: int
    split: str
    """Of the tests; trained on `train`, epoch chosen by `val`."""
    labels: tuple[str, ...]
    """Those that all sets have."""
    train_on: tuple[Side, ...]
    test_on: tuple[Side, ...]
    cells: tuple[Cell, ...]

    def cell(self, train_on: str, test_on: str) -> Cell:
        """Return the cell of a pair."""
        return next(cell for cell in self.cells if (cell.train_on, cell.test_on) == (train_on, test_on))


def matrix_json(matrix: Matrix) -> dict[str, object]:
    """Return the matrix as JSON values; a figure that cannot be had is null."""
    facts = without_nan(asdict(matrix))
    assert isinstance(facts, dict)
    return {"schema": SCHEMA, **facts}


def matrix_lines(matrix: Matrix) -> list[str]:
    """Return the matrix as text."""
    modality = "" if matrix.modality == "all" else f", {matrix.modality} alone"
    left = {f"{n} {label} of {side.name}": 0 for side in _sides(matrix) for label, n in side.left_out.items()}
    return [
        f"{matrix.model} of preset {matrix.preset}{modality}, seed {matrix.seed}; labels: {', '.join(matrix.labels)}; "
        f"tested on the split {matrix.split}",
        *([f"clips left out, of labels that not all sets have: {', '.join(left)}"] if left else []),
        *(
            " ".join((f"trained on {c.train_on}, tested on {c.test_on}: {_figures(c.found)}", *c.stamps))
            for c in matrix.cells
        ),
    ]


def _sides(matrix: Matrix) -> list[Side]:
    return [*matrix.train_on, *matrix.test_on]


def _figures(found: Evaluation) -> str:
    titles = {"uar": "UAR", "accuracy": "accuracy", "ovr_accuracy": "averaged one-vs-rest accuracy"}
    parts = [(title, found.intervals[name]) for name, title in titles.items()]
    said = [f"{title} {i.value:.3f} ({i.level:.0%} {i.low:.3f} to {i.high:.3f})" for title, i in parts]
    return f"{', '.join(said)}, {found.scores.clips} clips"
