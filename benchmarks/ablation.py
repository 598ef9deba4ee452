"""What each improvement of calibration is worth: INT8 against float with it and without, at 8 and at 7 bits.

    python benchmarks/ablation.py [--graphs repvgg vit ...] [--cafes tiny small] [--seeds 0 1] [--json FILE]

Six backbones at small sizes whose random weights vary as trained ones do (`small_backbones.py`), and the graphs of
`cafes` with random weights. All of a graph's sites are quantised; what is printed is how far the worst centred cosine
is from 1 on inputs that nothing was made from, the geometric mean over the seeds. Weights are rounded by GPTQ in all
rows. `free` smooths where a norm or layer takes the factors, `all` adds multiplications elsewhere, `guarded` is what
`mmer calibrate` takes. `clipped` is `guarded` with clipped weights, `methods` is `guarded` with a method for each
tensor, and `sure` that where samples of their own confirm it.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from small_backbones import MODELS, Backbone, backbone

from mmer.calibration.emit import emitted
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.improve.constant import turned
from mmer.calibration.improve.improvement import FREE, confirmed, improved
from mmer.calibration.improve.methods import Readers, methods_of
from mmer.calibration.improve.probe import probes
from mmer.calibration.improve.smooth import smoothed, smoothings
from mmer.calibration.judgement.check import Rows, outputs, worst_cosine
from mmer.calibration.observation.observe import observe
from mmer.calibration.observation.observed import Observed
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

SHARES = {"minmax": 1.0, "99.99 %": 0.9999, "99.9 %": 0.999}
EVERY = 6
ROWS = ("plain", "free", "all", "guarded", "clipped", "methods", "sure")


@dataclass(frozen=True, slots=True)
class Trial:
    """A prepared graph, inputs to calibrate with, a few to decide by, and others to judge by."""

    network: Network
    made_from: Sequence[Tensors]
    tried: Sequence[Tensors]
    fresh: Sequence[Tensors]
    expected: Rows
    bits: int

    @classmethod
    def of(cls, graph: Backbone, bits: int) -> "Trial":
        """Deal the inputs as `mmer calibrate` does."""
        made_from = [given for place, given in enumerate(graph.inputs) if place % EVERY]
        network = prepared(turned(onnx.load_from_string(graph.content)))
        return cls(network, made_from, graph.inputs[::EVERY], graph.fresh, outputs(graph.content, graph.fresh), bits)

    def again(self) -> Sequence[Tensors]:
        """Return what levels are made from."""
        return self.made_from

    def levels(self, network: Network, *, clipped: bool) -> Levels:
        """Return the weights of a form of the network."""
        return levels_of(network, sites(network), self.again, self.bits, clipped=clipped)

    def loss(self, network: Network, levels: Levels, observed: Observed | None = None) -> float:
        """Return how far the centred cosine is from 1 on the inputs that judge."""
        seen = observed or observe(network, self.again, 1.0)
        return 1 - worst_cosine(self.expected, outputs(emitted(network, sites(network), seen, levels), self.fresh))

    def doubt(self, network: Network, levels: Levels, observed: Observed) -> float:
        """Return the same on the inputs that decide."""
        expected = outputs(network.model.SerializeToString(), self.tried)
        content = emitted(network, sites(network), observed, levels)
        return 1 - worst_cosine(expected, outputs(content, self.tried))


def losses(trial: Trial) -> Mapping[str, float]:
    """Return the loss with each improvement."""
    network, found = trial.network, sites(trial.network)
    every = smoothings(network, found, trial.again, trial.bits)
    free = smoothed(network, [smoothing for smoothing in every if smoothing.free])
    guarded = improved(network, trial.again, trial.tried, trial.bits).network
    forms = dict(zip(ROWS, (network, free, smoothed(network, every), guarded), strict=False))
    made = {name: trial.loss(form, trial.levels(form, clipped=False)) for name, form in forms.items()}
    levels = trial.levels(guarded, clipped=False)
    plain, methods = observe(guarded, trial.again, 1.0), _by_tensor(trial, guarded, levels)
    sure = confirmed([(plain, 1.0), (methods, FREE)], lambda seen: trial.doubt(guarded, levels, seen))
    return made | {
        "clipped": trial.loss(guarded, trial.levels(guarded, clipped=True), plain),
        "methods": trial.loss(guarded, levels, methods),
        "sure": trial.loss(guarded, levels, sure),
    }


def _by_tensor(trial: Trial, network: Network, levels: Levels) -> Observed:
    """Return ranges by the method that suits each tensor."""
    by = {method: observe(network, trial.again, share) for method, share in SHARES.items()}
    found = sites(network)
    readers = Readers(network, found, probes(network, found.values(), trial.again), levels)
    chosen = methods_of(readers, lambda t, c, m: by[m].range(t, centred=c), list(SHARES))
    cuts = {(t, c): by[m].range(t, centred=c) for t, m in chosen.items() for c in (False, True) if m != "minmax"}
    return replace(by["minmax"], cuts=cuts)


def cafes(preset: str, seed: int) -> Iterator[Backbone]:
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
            yield Backbone(f"cafes {preset} {graph.name}", content, made_from[graph.name], fresh[graph.name])


def _given(split: Split, inputs: Inputs, seed: int) -> Mapping[str, tuple[Tensors, ...]]:
    """Return what each graph is given over the windows of the gate."""
    recorders = {graph.name: Recorder(TorchSession(graph)) for graph in split.subgraphs}
    executor = Executor(split.plan, {g.name: Graph(g.inputs, g.outputs, {}) for g in split.subgraphs}, recorders)
    for window in windows(split, inputs, seed):
        executor.run(window.values())
    return {name: tuple(case.inputs for case in recorder.cases) for name, recorder in recorders.items()}


def measured(graphs: Callable[[int], Iterator[Backbone]], seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    """Yield a line for each graph and number of bits."""
    found: dict[tuple[str, int], list[Mapping[str, float]]] = {}
    for seed in seeds:
        for graph in graphs(seed):
            for bits in (8, 7):
                found.setdefault((graph.name, bits), []).append(losses(Trial.of(graph, bits)))
    for (name, bits), each in found.items():
        means = {row: math.exp(float(np.mean([math.log(max(e[row], 1e-9)) for e in each]))) for row in ROWS}
        yield {"graph": name, "bits": bits, "seeds": len(seeds), "losses": means}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--cafes", nargs="*", default=[], choices=list(INPUTS), metavar="PRESET")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    makers: list[Callable[[int], Iterator[Backbone]]] = [
        lambda seed, name=name: iter([backbone(name, seed=seed)])  # type: ignore[misc]
        for name in options.graphs
    ]
    makers += [lambda seed, preset=preset: cafes(preset, seed) for preset in options.cafes]  # type: ignore[misc]
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
