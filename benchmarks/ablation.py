"""What each improvement of calibration is worth: INT8 against float with it and without, at 8 and at 7 bits.

    python benchmarks/ablation.py [--graphs repvgg-a0 vit-base-16 ...] [--cafes tiny small] [--seeds 0 1] [--json FILE]

Six backbones at small sizes whose random weights vary as trained ones do (`backbone_models/outliers.py`), and the
graphs of `cafes` with random weights. All of a graph's sites are quantised; what is printed is how far the worst
centred cosine is from 1 on inputs that nothing was made from, the geometric mean over the seeds. Weights are rounded by
GPTQ in all rows. `alike` makes channels alike where a norm or layer takes the factors, `guarded` only where samples of
their own confirm it, as `mmer calibrate` does. `clipped` is `guarded` with clipped weights, `methods` is `guarded` with
a method for each tensor, and `sure` that where samples confirm it.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import torch
from backbone_models.small import Subject, small
from backbone_models.zoo import BACKBONES

from mmer.calibration.emit import Basis
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.improve.improvement import Material, confirmed, improved
from mmer.calibration.improve.methods import by_tensor
from mmer.calibration.improve.smooth import smoothed, smoothings
from mmer.calibration.judgement.check import outputs
from mmer.calibration.judgement.selection import Trial
from mmer.calibration.observation.observe import observe
from mmer.calibration.observation.observed import Observed
from mmer.calibration.recipe import Recipe
from mmer.calibration.targets.ort import ORT, ORT7
from mmer.calibration.weights.rounding import Levels, levels_of
from mmer.edge.bundle.graph import Graph
from mmer.edge.pipeline.executor import Executor
from mmer.edge.tensors import Tensors
from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.onnx_graph import exported
from mmer.export.subgraphs import Split, TorchSession
from mmer.export.systems import SPLITS
from mmer.export.whole import Recorder
from mmer.training.presets import INPUTS
from mmer.training.recording import Inputs
from mmer.training.zoo import ZOO

RECIPES = ORT, ORT7
EVERY = 6
ROWS = ("plain", "alike", "guarded", "clipped", "methods", "sure")
Graphs = Callable[[int], Iterator[Subject]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A graph, and the way of quantising it."""

    subject: Subject
    recipe: Recipe

    def again(self) -> Sequence[Tensors]:
        """Return what levels are made from, dealt as `mmer calibrate` does."""
        return [given for place, given in enumerate(self.subject.inputs) if place % EVERY]

    @property
    def tried(self) -> Sequence[Tensors]:
        """What decides."""
        return self.subject.inputs[::EVERY]

    def levels(self, network: Network, *, clipped: bool = False) -> Levels:
        """Return the weights of a form of the network."""
        return levels_of(network, sites(network), self.again, self.recipe.weight_bits, clipped=clipped)

    def error(self, basis: Basis, inputs: Sequence[Tensors]) -> float:
        """Return how far the centred cosine is from 1 on some inputs."""
        trial = Trial(basis, self.recipe, inputs, outputs(self.subject.content, inputs))
        return trial.error(self.recipe.sites(basis.network))

    def loss(self, network: Network, levels: Levels, observed: Observed | None = None) -> float:
        """Return the same on the inputs that judge."""
        return self.error(self.basis(network, levels, observed or observe(network, self.again)), self.subject.fresh)

    def basis(self, network: Network, levels: Levels, observed: Observed) -> Basis:
        """Return what a form is written from."""
        return Basis(network, observed, {self.recipe.weight_bits: levels}, {})


def losses(bench: Bench) -> Mapping[str, float]:
    """Return the loss with each improvement."""
    network = prepared(onnx.load_from_string(bench.subject.content))
    found = smoothings(network, sites(network), bench.again, bench.recipe.weight_bits)
    alike = smoothed(network, [(each.group, each.factors) for each in found])
    guarded = improved(network, Material(bench.again, bench.tried, bench.recipe, {})).network
    levels, seen = bench.levels(guarded), observe(guarded, bench.again)
    plain = bench.basis(guarded, levels, seen)
    methods = replace(plain, observed=by_tensor(plain, sites(guarded), levels, bench.again))
    sure = confirmed(plain, methods, lambda basis: bench.error(basis, bench.tried))
    fresh = bench.subject.fresh
    return {
        "plain": bench.loss(network, bench.levels(network)),
        "alike": bench.loss(alike, bench.levels(alike)),
        "guarded": bench.error(plain, fresh),
        "clipped": bench.loss(guarded, bench.levels(guarded, clipped=True), seen),
        "methods": bench.error(methods, fresh),
        "sure": bench.error(sure, fresh),
    }


def backbone(name: str, seed: int) -> Iterator[Subject]:
    """Yield one of `BACKBONES`."""
    yield small(name, seed)


def cafes(preset: str, seed: int) -> Iterator[Subject]:
    """Yield the graphs of a random `cafes` that varies, those that have something to quantise."""
    inputs = INPUTS[preset]
    torch.manual_seed(seed)
    model = ZOO["cafes"].build(ZOO["cafes"].presets[preset], None)
    tried = windows(SPLITS["cafes"](model, inputs), inputs, seed)
    split = SPLITS["cafes"](enliven(model, tried, inputs.video.size, seed), inputs)
    made_from, fresh = (_given(split, inputs, number) for number in (seed, seed + 100))
    for graph in split.subgraphs:
        content = exported(graph)
        if graph.name != "fusion" and sites(prepared(onnx.load_from_string(content))):
            yield Subject(f"cafes {preset} {graph.name}", content, made_from[graph.name], fresh[graph.name])


def _given(split: Split, inputs: Inputs, seed: int) -> Mapping[str, tuple[Tensors, ...]]:
    """Return what each graph is given over the windows of the gate."""
    recorders = {graph.name: Recorder(TorchSession(graph)) for graph in split.subgraphs}
    executor = Executor(split.plan, {g.name: Graph(g.inputs, g.outputs, {}) for g in split.subgraphs}, recorders)
    for window in windows(split, inputs, seed):
        executor.run(window.values())
    return {name: tuple(case.inputs for case in recorder.cases) for name, recorder in recorders.items()}


def measured(graphs: Graphs, seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    """Yield a line for each graph and number of bits."""
    found: dict[tuple[str, int], list[Mapping[str, float]]] = {}
    for seed in seeds:
        for graph in graphs(seed):
            for recipe in RECIPES:
                found.setdefault((graph.name, recipe.weight_bits), []).append(losses(Bench(graph, recipe)))
    for (name, bits), each in found.items():
        means = {row: math.exp(float(np.mean([math.log(max(e[row], 1e-9)) for e in each]))) for row in ROWS}
        yield {"graph": name, "bits": bits, "seeds": len(seeds), "losses": means}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", nargs="*", default=list(BACKBONES), choices=list(BACKBONES))
    parser.add_argument("--cafes", nargs="*", default=[], choices=list(INPUTS), metavar="PRESET")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    makers: list[Graphs] = [partial(backbone, name) for name in options.graphs]
    makers += [partial(cafes, preset) for preset in options.cafes]
    print(f"| graph | bits | {' | '.join(ROWS)} |", "|---|---|" + "---|" * len(ROWS), sep="\n")
    lines = []
    for maker in makers:
        for line in measured(maker, options.seeds):
            lines.append(line)
            cells = " | ".join(f"{line['losses'][row]:.5f}" for row in ROWS)  # type: ignore[index]
            print(f"| {line['graph']} | {line['bits']} | {cells} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"schema": "mmer.bench-ablation/1", "rows": lines}, indent=1))
    sys.stderr.write(f"seeds {options.seeds}, torch {torch.__version__}, onnx {onnx.__version__}\n")


if __name__ == "__main__":
    main()
