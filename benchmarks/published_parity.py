"""How exactly the exported graphs of a random model of a preset compute what torch computes.

    python benchmarks/published_parity.py [--preset published] [--confidence both] [--threads 1]

The weights are drawn so that logits vary over the cases; the table shows the worst value over all of them.
"""

import argparse
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version

import torch

from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.onnx_graph import exported
from mmer.export.parity import Difference, refuse_flat
from mmer.export.systems import SPLITS
from mmer.export.whole import check
from mmer.training.recording import Inputs
from mmer.training.zoo import ZOO


def main() -> None:
    """Export, compare and print."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    inputs, entry, cut = Inputs(), ZOO["cafes"], SPLITS["cafes"]
    fresh = entry.build(replace(entry.presets[options.preset], confidence=options.confidence), None)
    tried = windows(cut(fresh, inputs), inputs)
    model = enliven(fresh, tried, inputs.video.size)
    split = cut(model, inputs)
    print(f"{platform.machine()}, torch {version('torch')}, onnxruntime {version('onnxruntime')}, {len(tried)} cases")
    graphs = {}
    for graph in split.subgraphs:
        start = time.perf_counter()
        graphs[graph.name] = exported(graph)
        print(
            f"{graph.name:16}{len(graphs[graph.name]) / 1e6:9.3f} MB, exported in {time.perf_counter() - start:.1f} s"
        )
    start = time.perf_counter()
    parity = check(model, split, graphs, tried)
    print(f"compared in {time.perf_counter() - start:.1f} s")
    print(f"standard deviation of each logit: {', '.join(f'{s:.2f}' for s in parity.spread)}")
    refuse_flat(parity.spread)
    for found in worst(parity.differences):
        place = f"{found.place.graph:16}{found.place.level:10}{found.output:16}"
        print(
            f"{place}{found.worst:.1e}  {found.worst / found.tolerance:6.1%} of the tolerance, case {found.place.case}"
        )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="published", choices=sorted(ZOO["cafes"].presets))
    parser.add_argument("--confidence", default="both")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def worst(differences: Sequence[Difference]) -> Iterator[Difference]:
    """Yield the worst difference of each graph, level and output."""
    keys = dict.fromkeys((d.place.graph, d.place.level, d.output) for d in differences)
    for graph, level, output in keys:
        same = [d for d in differences if (d.place.graph, d.place.level, d.output) == (graph, level, output)]
        yield max(same, key=lambda found: found.worst / found.tolerance)


if __name__ == "__main__":
    main()
