"""An evaluation as files: figures, a table for people, and pictures."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmer.edge.bench.judged import Evaluation
from mmer.edge.bench.matrix import Matrix, matrix_json
from mmer.edge.bench.plots import plot_classes, plot_confusion, plot_matrix
from mmer.edge.files import atomic_folder

SUMMARY, TABLE = "summary.json", "classification_report.txt"
CONFUSION, CLASSES = "confusion_matrix.png", "per_class_metrics.png"
MATRIX = "matrix.png"
COLUMNS = ("precision", "recall", "f1", "auc")


def write_evaluation(folder: Path, found: Evaluation, document: Mapping[str, object]) -> None:
    """Write `document` as the summary, and beside it what one set of answers was worth.

    Raises `MissingDependencyError` without matplotlib, `SettingError` for a folder that is not ours to replace.
    """
    with atomic_folder(folder, marker=SUMMARY) as new:
        write_figures(new, found, document)
        draw_figures(new, found)


def write_figures(folder: Path, found: Evaluation, document: Mapping[str, object]) -> None:
    """Write the summary and the table into a folder."""
    summary = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    (folder / SUMMARY).write_text(summary + "\n", encoding="utf-8")
    (folder / TABLE).write_text("\n".join(table_lines(found)) + "\n", encoding="utf-8")


def draw_figures(folder: Path, found: Evaluation) -> None:
    """Write the pictures into a folder; raise `MissingDependencyError` without matplotlib."""
    plot_confusion(found, folder / CONFUSION)
    plot_classes(found, folder / CLASSES)


def write_matrix(folder: Path, matrix: Matrix) -> None:
    """Write the document and a picture of how trainings do on other sets; raises as `write_evaluation`."""
    with atomic_folder(folder, marker=SUMMARY) as new:
        document = json.dumps(matrix_json(matrix), ensure_ascii=False, allow_nan=False, indent=1)
        (new / SUMMARY).write_text(document + "\n", encoding="utf-8")
        plot_matrix(matrix, new / MATRIX)


def table_lines(found: Evaluation) -> Iterator[str]:
    """Yield the figures of each class and their means as a table."""
    width = max(len("weighted mean"), *map(len, found.per_class))
    yield " ".join((" " * width, *(f"{name:>9}" for name in COLUMNS), "    clips"))
    for label, values in found.per_class.items():
        yield _row(label.ljust(width), [values[name] for name in COLUMNS], int(values["clips"]))
    scores = found.scores
    macro = [scores.macro_precision, scores.macro_recall, scores.macro_f1, scores.auc]
    weighted = [scores.weighted_precision, scores.weighted_recall, scores.weighted_f1]
    yield _row("mean".ljust(width), macro, scores.clips)
    yield _row("weighted mean".ljust(width), [*weighted, float("nan")], scores.clips)
    yield ""
    for name, within in found.intervals.items():
        ranges = {"within": within, "across": found.across[name]}.items()
        said = [f"{r.low:.3f} to {r.high:.3f} {kind} speakers" for kind, r in ranges if not math.isnan(r.low)]
        yield f"{name.ljust(width)} {within.value:9.3f}  {within.level:.0%}: {', '.join(said)}"


def _row(name: str, values: list[float], clips: int) -> str:
    cells = ("        -" if math.isnan(value) else f"{value:9.3f}" for value in values)
    return " ".join((name, *cells, f"{clips:9d}"))
