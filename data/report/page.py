"""A survey as pictures and one page that holds them all."""

import base64
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmer.data.report.survey import Survey
from mmer.edge.files import atomic_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE = "index.html"
_COLOURS = ("#777777", "#56b4e9", "#e69f00", "#0072b2", "#d55e00", "#7b3294", "#009e73", "#f0c808", "#8c510a")
"""After Okabe and Ito, told apart by colour-blind readers; repeated from the start for rare labels."""
_SHOWN = {
    "classes.png": "Clips of each class, by split",
    "durations.png": "Length of the sound",
    "projection.png": "Clips by simple features, in the two directions in which they differ most",
}


def write_report(survey: Survey, output: Path) -> None:
    """Write three pictures, the figures as JSON and the page into a folder that appears when all is done."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    with atomic_folder(output, marker=PAGE) as folder:
        for name, draw in zip(_SHOWN, (_classes, _durations, _projection), strict=True):
            figure = Figure(figsize=(8, 4.5), layout="constrained")
            draw(survey, figure.add_subplot())
            figure.savefig(folder / name, dpi=120)
        (folder / "report.json").write_text(json.dumps(survey.to_json(), indent=1), encoding="utf-8")
        (folder / PAGE).write_text("\n".join(_page(survey, folder)), encoding="utf-8")


def _classes(survey: Survey, axes: "Axes") -> None:
    labels = list(dict.fromkeys(label for counts in survey.counts.values() for label in counts))
    width = 0.8 / len(survey.counts)
    for place, (split, counts) in enumerate(survey.counts.items()):
        spots = [at + (place - (len(survey.counts) - 1) / 2) * width for at in range(len(labels))]
        bars = axes.bar(spots, [counts.get(label, 0) for label in labels], width, label=split)
        axes.bar_label(bars, fontsize=7)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylabel("clips")
    axes.legend()


def _durations(survey: Survey, axes: "Axes") -> None:
    spans = [span for span in survey.durations_s if span > 0]
    if spans:
        axes.hist(spans, bins=40)
    else:
        axes.text(0.5, 0.5, "no sound", ha="center", va="center", transform=axes.transAxes)
    axes.set_xlabel("seconds (the first 30 are decoded)")
    axes.set_ylabel("clips")


def _projection(survey: Survey, axes: "Axes") -> None:
    for number, label in enumerate(dict.fromkeys(sorted(survey.labels))):
        chosen = survey.places[[found == label for found in survey.labels]]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=8,
            alpha=0.6,
            color=_COLOURS[number % len(_COLOURS)],
            label=label,
            linewidths=0,
        )
    axes.set_xlabel("first principal component")
    axes.set_ylabel("second principal component")
    axes.set_title(f"{len(survey.labels)} clips; the plane holds {survey.explained:.0%} of the variance", fontsize=10)
    if survey.labels:
        axes.legend(markerscale=2, bbox_to_anchor=(1.0, 1.0), loc="upper left")


def _page(survey: Survey, folder: Path) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>Corpus report</title>'
    yield "<style>body{font-family:sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}img{width:100%}"
    yield "td,th{padding:.2rem .8rem;text-align:right}</style>"
    yield f"<h1>Corpus report</h1><p>{survey.clips} clips, digest {survey.digest[:12]}.</p>"
    labels = list(dict.fromkeys(label for counts in survey.counts.values() for label in counts))
    yield f"<table><tr><th>split<th>{'<th>'.join(labels)}</tr>"
    for split, counts in survey.counts.items():
        cells = "<td>".join(str(counts.get(label, 0)) for label in labels)
        yield f"<tr><th>{html.escape(split)}<td>{cells}</tr>"
    yield "</table>"
    for name, title in _SHOWN.items():
        picture = base64.b64encode((folder / name).read_bytes()).decode()
        yield f'<h2>{title}</h2><img alt="{title}" src="data:image/png;base64,{picture}">'
    yield "<p>Groups may be sets, speakers or modalities rather than classes: draw one set alone with --where.</p>"
    yield "</html>"
