"""Networks that published tools quantise to nothing, trained here, and what becomes of them by default and by mmer.

    python benchmarks/collapse.py --pack DIR [--only vit repvgg] [--stills N] [--keep FOLDER] [--nncf PYTHON]
                                  [--json FILE] [--picture FILE]

A small vision transformer and a small RepVGG learn the stills of FER-2013 as their papers train (docs/collapses.md).
Every quantiser gets the same ONNX file and the same training stills; every file answers the official PublicTest, one
still at a time. `--keep` takes up networks that an earlier run left. `--nncf` names a Python that has NNCF.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from collapses.learned import RECIPES, learned
from collapses.moved import lifted, unbalanced
from collapses.network import Float, exported
from collapses.picture import draw
from collapses.quantisers import Maker, quantisers
from collapses.rows import Row, rows, to_json
from collapses.spread import Spread, spreads
from collapses.stills import Stills
from torch import nn

from mmer.edge.backends.ort import version
from mmer.edge.doctor.examine import processor

CALIBRATION = 256
"""Stills that ranges are taken from."""
HEAD = """\
| form | accuracy | UAR | accuracy against float, points | same label, % | cosine | unoptimised | kB | |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What is made of a network besides."""

    title: str
    move: Callable[[nn.Module], nn.Module]


MOVED = {"vit": Moved("vit, lifted by hand", lifted), "repvgg": Moved("repvgg, unbalanced by hand", unbalanced)}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about one file."""

    rows: Sequence[Row]
    spreads: Sequence[Spread]


def files(pack: Path, names: Sequence[str], keep: Path) -> Iterator[tuple[str, Float]]:
    """Yield what everybody starts from: the networks as trained, then those moved by hand."""
    stills = Stills.read(pack, "train")
    modules = {name: learned(name, stills, keep) for name in names}
    modules |= {MOVED[name].title: MOVED[name].move(modules[name]) for name in names}
    yield from ((name, exported(module, stills, CALIBRATION)) for name, module in modules.items())


def found(float_: Float, test: Stills, makers: Mapping[str, Maker]) -> Found:
    """Return the rows of a file, each printed as it comes."""
    made = []
    for row in rows(float_, test, makers):
        made.append(row)
        print(line(row), flush=True)
    spread = spreads(float_)
    for operator in sorted({each.operator for each in spread}):
        levels = [each.levels for each in spread if each.operator == operator]
        print(f"{operator}: {min(levels):.0f} to {max(levels):.0f} of 255 levels are left to the middle channel")
    return Found(made, spread)


def line(row: Row) -> str:
    """Return a row of a Markdown table."""
    lost = row.accuracy_lost
    cells = (
        row.name,
        f"{100 * row.accuracy:.1f}",
        f"{100 * row.uar:.1f}",
        f"{lost.value:+.1f} ({lost.low:+.1f} to {lost.high:+.1f})",
        f"{100 * row.agreement:.1f}",
        f"{row.cosine:.4f}",
        "-" if row.plain_cosine is None else f"{row.plain_cosine:.4f}",
        "-" if row.size is None else f"{row.size / 1000:.0f}",
        row.note,
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="the folder with the archives of FER-2013")
    parser.add_argument("--stills", type=int, metavar="N", help="judge by so many test stills, not by all 3,508")
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES), help="networks")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where trained networks are kept")
    parser.add_argument("--nncf", type=Path, metavar="PYTHON", help="an interpreter that has NNCF")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw what the values look like, PNG")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    makers, all_found = quantisers(options.nncf), {}
    with tempfile.TemporaryDirectory() as unkept:
        test = Stills.read(options.pack, "val").first(options.stills)
        for name, float_ in files(options.pack, options.only, options.keep or Path(unkept)):
            print(f"\n{name}\n\n{HEAD}", flush=True)
            all_found[name] = found(float_, test, makers)
    print(
        f"\n{processor().model}, onnxruntime {version()}, torch {torch.__version__}, Python {platform.python_version()}"
    )
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    if options.picture:
        draw({name: each.spreads for name, each in all_found.items()}, options.picture)
    if options.json:
        written = {name: [to_json(row) for row in each.rows] for name, each in all_found.items()}
        options.json.write_text(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
