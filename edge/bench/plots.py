"""Pictures of an evaluation; matplotlib is loaded when one is drawn."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mmer.edge.bench.judged import Evaluation
from mmer.edge.bench.matrix import Cell, Matrix
from mmer.edge.errors import MissingDependencyError

FIGURES = ("precision", "recall", "f1")
INCHES_PER_CLASS = 0.75


def plot_confusion(found: Evaluation, path: Path) -> None:
    """Write a confusion matrix as PNG: shaded by the share of the true class, labelled with clips."""
    counts, labels = np.array(found.confusion), list(found.per_class)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.5 + INCHES_PER_CLASS * len(labels)
    figure, axes = _canvas(side + 0.8, side)
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        shade = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=shade)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="true", title=_title(found))
    figure.colorbar(shown, ax=axes, label="share of the true class", fraction=0.046)
    figure.savefig(path, dpi=120)


def plot_classes(found: Evaluation, path: Path) -> None:
    """Write precision, recall and F1 of each class as bars, PNG."""
    labels = list(found.per_class)
    figure, axes = _canvas(2.5 + 1.5 * INCHES_PER_CLASS * len(labels), 4)
    places, width = np.arange(len(labels)), 0.8 / len(FIGURES)
    for at, name in enumerate(FIGURES):
        heights = [values[name] for values in found.per_class.values()]
        axes.bar(places + (at - (len(FIGURES) - 1) / 2) * width, heights, width, label=name)
    clips = [int(values["clips"]) for values in found.per_class.values()]
    axes.set_xticks(places, [f"{label}\n{count} clips" for label, count in zip(labels, clips, strict=True)])
    axes.set(ylim=(0, 1), title=_title(found))
    axes.legend(ncols=len(FIGURES), loc="upper center", bbox_to_anchor=(0.5, -0.15), frameon=False)
    figure.savefig(path, dpi=120)


def plot_matrix(matrix: Matrix, path: Path) -> None:
    """Write UAR of every training on every test as PNG, its interval and the accuracy beneath it."""
    rows, columns = [side.name for side in matrix.train_on], [side.name for side in matrix.test_on]
    cells = [[matrix.cell(row, column) for column in columns] for row in rows]
    figure, axes = _canvas(3.5 + 1.8 * len(columns), 2.2 + 1.1 * len(rows))
    shown = axes.imshow([[cell.found.scores.uar for cell in row] for row in cells], cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(len(rows), len(columns)):
        cell = cells[row][column]
        shade = "white" if cell.found.scores.uar > 0.5 else "black"
        axes.text(column, row, _cell(cell), ha="center", va="center", fontsize=9, color=shade)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel="tested on", ylabel="trained on", title=f"UAR, {len(matrix.labels)} labels")
    figure.colorbar(shown, ax=axes, fraction=0.046)
    figure.savefig(path, dpi=120)


def _title(found: Evaluation) -> str:
    uar = found.intervals["uar"]
    return f"UAR {uar.value:.3f} ({uar.level:.0%} {uar.low:.3f} to {uar.high:.3f}), {found.scores.clips} clips"


def _canvas(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure and its axes that need no screen; raise `MissingDependencyError` without matplotlib."""
    try:
        figures = import_module("matplotlib.figure")
    except ModuleNotFoundError as error:
        raise MissingDependencyError("matplotlib", "report") from error
    figure = figures.Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _cell(cell: Cell) -> str:
    uar = cell.found.intervals["uar"]
    interval = f"{uar.low:.2f} to {uar.high:.2f}"
    return "\n".join((f"{uar.value:.3f}", interval, f"accuracy {cell.found.scores.accuracy:.3f}", *cell.stamps))
