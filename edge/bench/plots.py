"""Pictures of an evaluation; matplotlib is loaded when one is drawn."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mmer.edge.bench.judged import Evaluation
from mmer.edge.errors import MissingDependencyError

FIGURES = {"precision": "#56b4e9", "recall": "#0072b2", "f1": "#e69f00"}
"""With colours after Okabe and Ito, told apart by colour-blind readers."""
_WIDTH = 8.0
"""Inches, at `DPI` 800 pixels, so that a page shows the text at its size."""
DPI = 100
_TWO_LINES = 10
"""More classes than this leave no room for the share in a cell."""


def plot_confusion(found: Evaluation, path: Path) -> None:
    """Write a confusion matrix as PNG: shaded by the share of the true class, labelled with clips."""
    counts, labels = np.array(found.confusion), list(found.per_class)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = canvas(_WIDTH, _WIDTH)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    size = float(np.clip(90 / len(labels), 6, 12))
    for (row, column), share in np.ndenumerate(shares):
        said = f"{counts[row, column]}" + (f"\n{share:.0%}" if share and len(labels) <= _TWO_LINES else "")
        axes.text(column, row, said, ha="center", va="center", color="white" if share > 0.5 else "black", size=size)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(f"{_title(found)}\neach cell is shaded by its share of the true class", size=11)
    figure.savefig(path, dpi=DPI)


def plot_classes(found: Evaluation, path: Path) -> None:
    """Write precision, recall and F1 of each class as bars, PNG."""
    figure, axes = canvas(_WIDTH, 1.6 + 0.66 * len(found.per_class))
    places, height = np.arange(len(found.per_class)), 0.8 / len(FIGURES)
    for at, (name, colour) in enumerate(FIGURES.items()):
        lengths = [values[name] for values in found.per_class.values()]
        bars = axes.barh(
            places + (at - 1) * height, lengths, 0.9 * height, label=name.replace("f1", "F1"), color=colour
        )
        axes.bar_label(bars, fmt="%.2f", padding=3, size=8, color="#444444")
    clips = {label: int(values["clips"]) for label, values in found.per_class.items()}
    axes.set_yticks(places, [f"{label}\n{count} clip{'s'[: count != 1]}" for label, count in clips.items()])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.05), xticks=np.linspace(0, 1, 6))
    axes.set_title(_title(found), size=11)
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(ncols=len(FIGURES), loc="outside lower center", frameon=False)
    figure.savefig(path, dpi=DPI)


def _title(found: Evaluation) -> str:
    uar = found.intervals["uar"]
    return f"UAR {uar.value:.3f} ({uar.level:.0%} {uar.low:.3f} to {uar.high:.3f}), {found.scores.clips} clips"


def canvas(width: float, height: float, rows: int = 1) -> tuple[Any, Any]:
    """Return a figure and its axes, one or a column of them; raise `MissingDependencyError` without matplotlib.

    They need no screen.
    """
    try:
        figures = import_module("matplotlib.figure")
    except ModuleNotFoundError as error:
        raise MissingDependencyError("matplotlib", "report") from error
    figure = figures.Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows)
