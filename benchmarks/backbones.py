"""Six backbones in INT8: ours beside ONNX Runtime's and NNCF's own defaults, on the same samples.

    python benchmarks/backbones.py [--pack DIR] [--nncf-python FILE] [--only NAME ...] [--layers N] [--json FILE]

Weights are random and drawn so that answers differ between inputs; the row `bf16` says what rounding every weight and
activation to bfloat16 would cost. Inputs are faces and speech of the pack, or made ones, and token ids as frequent as
words. Each maker works in a process of its own, whose time and peak of memory stand in the table; `ours` includes
choosing layers, judging and timing. Cosines are centred, the worst over all outputs, on inputs that no maker saw. Times
are medians of runs in turns, one session for each form, and mean something on an idle machine only. With `--cafes`
the graphs of `cafes` at its published size are rows too, fed by their own plan from clips of the pack.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch
from backbone_models.cafes import parts
from backbone_models.judged import expected, judged, milliseconds
from backbone_models.made import Made, make, size_mb
from backbone_models.makers import HALF, MAKERS, OURS
from backbone_models.materials import Materials
from backbone_models.size import Size
from backbone_models.table import Row, markdown
from backbone_models.yardstick import in_bfloat16
from backbone_models.zoo import BACKBONES, TOLD_APART, Backbone, built, exported

from mmer.calibration.settings import CalibrationSettings
from mmer.edge.bundle.arrays import pack, unpack
from mmer.edge.doctor.examine import processor
from mmer.edge.tensors import Tensors

THREADS = (1, 2)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    folder: Path
    samples: int
    fresh: int
    makers: Sequence[str]
    nncf_python: Path | None
    timed: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A float graph in a folder of its own, with its samples."""

    name: str
    folder: Path
    least: float
    yardstick: float | None
    """Centred cosine of bfloat16 to float."""


def prepared(backbone: Backbone, size: Size, materials: Materials, order: Order) -> Task:
    """Build a backbone, export it and lay out its samples."""
    folder = order.folder / backbone.name
    model = built(backbone, size, backbone.draw(replace(materials, seed=materials.seed + 1), TOLD_APART, size))
    drawn = backbone.draw(materials, order.samples + order.fresh, size)
    calibration, fresh = drawn[: order.samples], drawn[order.samples :]
    content = exported(backbone, model, drawn[0]).SerializeToString()
    laid_out(folder, content, (calibration, fresh), backbone.least)
    return Task(backbone.name, folder, backbone.least, in_bfloat16(model, fresh[:4]))


def laid_out(folder: Path, content: bytes, samples: tuple[Sequence[Tensors], Sequence[Tensors]], least: float) -> None:
    """Write a graph, its samples and fresh ones where makers look for them, over what an earlier run left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "float.onnx").write_bytes(content)
    (folder / "asked.json").write_text(json.dumps({"cosine": least}))
    for title, found in zip(("calibration", "fresh"), samples, strict=True):
        (folder / title).mkdir()
        for number, sample in enumerate(found):
            (folder / title / f"{number:05}.npz").write_bytes(pack(sample))


def rows(task: Task, order: Order) -> Iterator[Row]:
    """Yield float, the yardstick, and what every maker made."""
    fresh = [dict(unpack(path.read_bytes(), path)) for path in sorted((task.folder / "fresh").glob("*.npz"))]
    reference = task.folder / "float.onnx"
    answers = expected(reference, fresh)
    made = [Made("float", reference, mb=size_mb(reference))]
    for maker in order.makers:
        sys.stderr.write(f"{task.name}: {maker}\n")
        made.append(make(maker, task.folder, order.nncf_python))
        if maker == OURS and (half := task.folder / f"{HALF}.onnx").exists():
            made.append(Made(HALF, half, note="made together with ours", mb=size_mb(half)))
    paths = {one.maker: one.path for one in made if one.path}
    ms = {threads: milliseconds(paths, fresh, threads) for threads in THREADS if order.timed}
    if task.yardstick is not None:
        yield Row(task.name, Made("bf16", None, note=f"centred cosine {task.yardstick:.5f}"), None, {}, None)
    for one in made:
        cosines = judged(one.path, answers, fresh) if one.path else None
        times = {threads: found.get(one.maker) for threads, found in ms.items()}
        yield Row(task.name, one, cosines, times, task.least if one.maker == OURS else None)


def tasks(options: argparse.Namespace, order: Order) -> Iterator[Task]:
    """Yield the backbones one after another, then the graphs of a bundle."""
    materials, size = Materials(options.pack), Size(options.layers)
    for name in options.only:
        yield prepared(BACKBONES[name], size, materials, order)
    if options.cafes:
        for part in parts(options.pack, CalibrationSettings(samples=order.samples, fresh=order.fresh)):
            folder = order.folder / part.name.replace(" ", "-")
            laid_out(folder, part.content, (part.calibration, part.fresh), part.least)
            yield Task(part.name, folder, part.least, None)


def main() -> int:
    """Parse, run, print; 1 when a form of ours does not hold what is asked of it."""
    options = arguments()
    torch.set_num_threads(1)
    machine = f"{processor().model}, {platform.platform()}, onnxruntime {version('onnxruntime')}"
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as unkept:
        order = Order(
            options.keep or Path(unkept),
            options.samples,
            options.fresh,
            options.makers,
            options.nncf_python,
            not options.untimed,
        )
        for task in tasks(options, order):
            found += rows(task, order)
            sys.stderr.write(f"{markdown(found)}\n")
            if options.json:
                document = {
                    "schema": "mmer.bench-backbones/1",
                    "machine": machine,
                    "rows": [r.to_json() for r in found],
                }
                options.json.write_text(json.dumps(document, indent=1))
    print(f"{machine}; {options.samples} samples, {options.fresh} fresh, layers {options.layers or 'all'}\n")
    print(markdown(found))
    return int(any(row.fault for row in found))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, help="the folder with clips.csv; without it faces and speech are made")
    parser.add_argument("--only", nargs="*", default=list(BACKBONES), choices=list(BACKBONES), metavar="NAME")
    parser.add_argument("--layers", type=int, help="of each network, to try things; else all")
    parser.add_argument("--samples", type=int, default=64, help="that ranges are taken from")
    parser.add_argument("--fresh", type=int, default=16, help="others, that all are judged by")
    parser.add_argument("--makers", nargs="+", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--nncf-python", type=Path, metavar="FILE", help="a Python that has NNCF")
    parser.add_argument("--cafes", action="store_true", help="the graphs of `cafes` too; needs --pack")
    parser.add_argument("--untimed", action="store_true", help="no milliseconds")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where graphs and samples are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, after each graph")
    options = parser.parse_args()
    if options.cafes and options.pack is None:
        parser.error("--cafes needs --pack")
    return options


if __name__ == "__main__":
    sys.exit(main())
