"""The course of a training as a picture: loss above, validation figures below, over the same epochs."""

from collections.abc import Sequence
from pathlib import Path

from mmer.edge.bench.plots import DPI, canvas
from mmer.training.history import Epoch

CURVES = "training_curves.png"
_LOSS = "#444444"
_FIGURES = {  # after Okabe and Ito, told apart by colour-blind readers; and by their dashes, in print
    "uar": ("UAR", "#0072b2", "-"),
    "accuracy": ("accuracy", "#d55e00", "--"),
    "macro_f1": ("macro F1", "#009e73", "-."),
    "ovr_accuracy": ("averaged one-vs-rest", "#cc79a7", ":"),
}


def plot_curves(epochs: Sequence[Epoch], kept: int, path: Path) -> None:
    """Write the picture as PNG, with the number of the kept epoch marked; raise `MissingDependencyError`."""
    figure, (loss, figures) = canvas(8, 6, 2)
    numbers = [epoch.number for epoch in epochs]
    dots = "o" if len(epochs) <= 30 else ""
    loss.plot(numbers, [epoch.loss for epoch in epochs], color=_LOSS, marker=dots, markersize=4)
    loss.set_ylabel("training loss")
    loss.set_title(_title(epochs, kept), size=11)
    for name, (label, colour, dashes) in _FIGURES.items():
        values = [getattr(epoch, name) for epoch in epochs]
        figures.plot(numbers, values, dashes, color=colour, label=label, marker=dots, markersize=4)
    figures.set(xlabel="epoch", ylabel="validation", ylim=(0, 1))
    for axes in (loss, figures):
        axes.axvline(kept, color="#cccccc", linewidth=6, zorder=0)
        axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(0.5, len(epochs) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.legend(ncols=len(_FIGURES), loc="outside lower center", frameon=False)
    figure.savefig(path, dpi=DPI)


def _title(epochs: Sequence[Epoch], kept: int) -> str:
    best = next(epoch for epoch in epochs if epoch.number == kept)
    return f"epoch {kept} of {len(epochs)} is kept (grey): UAR {best.uar:.3f}, accuracy {best.accuracy:.3f}"
