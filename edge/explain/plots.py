"""Pictures of an explanation; matplotlib is loaded when one is drawn."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mmer.edge.errors import MissingDependencyError
from mmer.edge.explain.explanation import Explanation, Insight, Trace

KINDS = ("attention", "confidence", "gradients")
_COLOURS = ("#4477aa", "#ccbb44", "#aa3377", "#228833")
_FOR, _AGAINST = "#4477aa", "#cc6677"


def plot_contributions(found: Explanation, path: Path) -> None:
    """Write what each modality adds, and the answer to each set of them, as PNG."""
    gradients = found.insight and found.insight.gradients
    figure = _figure(11, 3.8)
    left, right = figure.subplots(1, 2)
    names = list(found.ablation.shapley)
    bars = [("ablation (Shapley)", found.ablation.shapley)]
    if gradients:
        bars.append(("integrated gradients", gradients.sums))
    places, height = np.arange(len(names)), 0.8 / len(bars)
    for at, (title, values) in enumerate(bars):
        offset = (at - (len(bars) - 1) / 2) * height
        left.barh(places + offset, [values[name] for name in names], height, label=title, color=_COLOURS[at])
    left.set_yticks(places, names)
    left.invert_yaxis()
    left.axvline(0, color="black", linewidth=0.8)
    left.set(title=f"what adds to {found.label}", xlabel="probability")
    left.legend(frameon=False, loc="best")
    _subsets(found, right)
    figure.suptitle(_title(found))
    figure.savefig(path, dpi=120)


def _subsets(found: Explanation, axes: Any) -> None:  # noqa: ANN401 - matplotlib has no types
    subsets = found.ablation.subsets
    axes.barh(range(len(subsets)), [s.probability for s in subsets.values()], color=_COLOURS[0])
    axes.set_yticks(range(len(subsets)), list(subsets))
    axes.invert_yaxis()
    for place, subset in enumerate(subsets.values()):
        axes.text(min(subset.probability + 0.01, 0.8), place, subset.label, va="center", fontsize=8)
    axes.axvline(found.ablation.nothing, color="black", linestyle=":", linewidth=0.8)
    axes.set(xlim=(0, 1), xlabel=f"probability of {found.label}; beside it the answer", title="with these alone")


def plot_over_time(found: Explanation, insight: Insight, path: Path) -> None:
    """Write attention, confidence and gradients over time, one column for each modality, as PNG."""
    modalities = [name for name in found.scene.present if any(t.modality == name for t in insight.traces)]
    columns = max(1, len(modalities) + bool(insight.gradients.words))
    figure = _figure(5 * columns, 8)
    grid = figure.subplots(len(KINDS) + 1, columns, squeeze=False, height_ratios=[0.5, 1.4, 1.4, 1.4])
    for column, modality in enumerate(modalities):
        _shown(found, modality, grid[0][column])
        for row, kind in enumerate(KINDS, start=1):
            traces = [t for t in insight.traces if t.modality == modality and t.kind == kind]
            _traces(traces, kind, grid[row][column])
            grid[row][column].set_xlim(found.scene.window.start_s, found.scene.window.end_s)
        grid[-1][column].set_xlabel("seconds")
    if insight.gradients.words:
        _words(insight, grid[:, -1])
    figure.suptitle(_title(found))
    figure.savefig(path, dpi=120)


def _shown(found: Explanation, modality: str, axes: Any) -> None:  # noqa: ANN401
    """Draw what the model was given: faces at their times, or the waveform."""
    window, sound = found.scene.window, found.scene.window.sound
    axes.set(title=modality, xlim=(window.start_s, window.end_s), yticks=[])
    if modality == "audio" and sound is not None:
        times = sound.time_s + np.arange(len(sound.samples)) / sound.rate_hz
        axes.plot(times, sound.samples, color="grey", linewidth=0.4)
    elif modality == "video" and found.scene.frames:
        span = window.end_s - window.start_s
        width = 0.9 * span / max(8, len(found.scene.frames))
        for crop in found.scene.frames:
            axes.imshow(crop.pixels, extent=(crop.time_s - width / 2, crop.time_s + width / 2, 0, 1), aspect="auto")
        axes.set(xlim=(window.start_s, window.end_s), ylim=(0, 1))


def _traces(traces: Sequence[Trace], kind: str, axes: Any) -> None:  # noqa: ANN401
    axes.set_ylabel(kind)
    for trace, colour in zip(traces, _COLOURS, strict=False):
        if kind == "gradients":
            width = 0.8 * min(np.diff(trace.times_s), default=0.2)
            shades = [_FOR if value >= 0 else _AGAINST for value in trace.values]
            axes.bar(trace.times_s, trace.values, width, color=shades)
        else:
            axes.plot(trace.times_s, trace.values, "o-", markersize=3, label=trace.title, color=colour)
    if kind != "gradients" and traces:
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        axes.set_ylim(0, 1.1 * max(max(trace.values) for trace in traces))
    if not traces:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center")


def _words(insight: Insight, column: Any) -> None:  # noqa: ANN401
    for axes in column[1:]:
        axes.remove()
    words = insight.gradients.words
    axes = column[0].figure.add_subplot(column[0].get_gridspec()[:, -1])
    column[0].remove()
    axes.barh(range(len(words)), [v for _, v in words], color=[_FOR if v >= 0 else _AGAINST for _, v in words])
    axes.set_yticks(range(len(words)), [word for word, _ in words], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(title="text", xlabel="gradients")
    axes.locator_params(axis="x", nbins=4)


def _title(found: Explanation) -> str:
    window = found.scene.window
    title = f"{found.scene.path.name}, {window.start_s:.2f} to {window.end_s:.2f} s: {found.label}"
    notice = f" ({found.model['notice']})" if found.model.get("notice") else ""
    return f"{title} {found.probabilities[found.label]:.3f}{notice}"


def _figure(width: float, height: float) -> Any:  # noqa: ANN401
    """Return a figure that needs no screen; raise `MissingDependencyError` without matplotlib."""
    try:
        figures = import_module("matplotlib.figure")
    except ModuleNotFoundError as error:
        raise MissingDependencyError("matplotlib", "report") from error
    return figures.Figure(figsize=(width, height), layout="constrained")
