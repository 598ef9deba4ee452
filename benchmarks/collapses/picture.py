"""How wide the channels of tensors are that share one scale, beside one step of eight bits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from collapses.spread import Spread

from mmer.edge.bench.plots import DPI, canvas

PANELS = (
    ("vit", "Add", "ViT as trained: what the residual additions make"),
    ("vit, lifted by hand", "Add", "ViT lifted by hand, the same answers in float"),
    ("repvgg", "Conv weight", "RepVGG as trained: weights of the fused convolutions"),
    ("repvgg, unbalanced by hand", "Conv weight", "RepVGG unbalanced by hand, the same answers in float"),
)


def draw(found: Mapping[str, Sequence[Spread]], path: Path) -> None:
    """Write one panel for each kind of tensor, from the first layer to the last, PNG."""
    wanted = [panel for panel in PANELS if panel[0] in found]
    figure, made = canvas(8.0, 2.1 * len(wanted), len(wanted))
    panels = np.atleast_1d(made)
    for axes, (network, operator, title) in zip(panels, wanted, strict=True):
        shown = [spread for spread in found[network] if spread.operator == operator]
        places = range(1, len(shown) + 1)
        axes.plot(places, [each.widths[0] for each in shown], "o-", color="#d55e00", label="widest channel")
        middle = [each.widths[len(each.widths) // 2] for each in shown]
        axes.plot(places, middle, "o-", color="#0072b2", label="middle channel")
        axes.plot(places, [each.widths[-1] for each in shown], "o-", color="#56b4e9", label="narrowest channel")
        axes.plot(places, [each.step for each in shown], "k--", label="one step of eight bits")
        axes.set(yscale="log", xticks=list(places), ylabel="width")
        axes.set_title(title, size=11)
        axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel("layer, from the first to the last")
    figure.legend(*panels[0].get_legend_handles_labels(), ncols=4, loc="outside lower center", frameon=False)
    figure.savefig(path, dpi=DPI)
