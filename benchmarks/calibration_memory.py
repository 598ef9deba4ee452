"""How much memory calibration takes above plain inference, on BERT-base and wav2vec2-base with random weights.

    python benchmarks/calibration_memory.py --keep FOLDER --samples 64 512

Each figure is the peak of a process of its own (VmHWM, Linux only). `plain` loads the graph and runs its longest
sample, no more; the others calibrate on so many samples, every one of its own length. Needs torch and transformers
for the export, which is kept in FOLDER.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mmer.edge.heap import be_frugal
from mmer.edge.memory import high_water_mb
from mmer.edge.tensors import Tensors

TOKENS = 16, 512
SOUND_S = 1, 10
RATE_HZ = 16000
MODELS = "bert", "wav2vec2"


def export(model: str, path: Path) -> None:
    """Write a model as its configuration in transformers describes it, with lengths that are free."""
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel, Wav2Vec2Config, Wav2Vec2Model  # noqa: PLC0415

    torch.manual_seed(0)
    if model == "bert":
        net = BertModel(BertConfig(attn_implementation="eager"), add_pooling_layer=False)
        given, shapes = torch.ones(1, 64, dtype=torch.long), ({1: torch.export.Dim("tokens", min=2, max=512)},)
    else:
        net = Wav2Vec2Model(Wav2Vec2Config(attn_implementation="eager"))
        given, shapes = torch.randn(1, RATE_HZ), ({1: torch.export.Dim("samples", min=800, max=20 * RATE_HZ)},)

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x).last_hidden_state

    torch.onnx.export(
        Plain().eval(), (given,), path, dynamo=True, dynamic_shapes=shapes, input_names=["x"], output_names=["y"]
    )


def samples(model: str, count: int) -> Iterator[Tensors]:
    """Yield inputs of lengths that are drawn uniformly; the second has the greatest."""
    for number in range(count):
        rng = np.random.default_rng(number)
        low, high = TOKENS if model == "bert" else (size * RATE_HZ for size in SOUND_S)
        length = int(rng.integers(low, high + 1)) if number != 1 else high
        if model == "bert":
            yield {"x": rng.integers(0, 30000, (1, length))}
        else:
            yield {"x": rng.normal(0, 1, (1, length)).astype("f4")}


def plain(model: str, path: Path) -> dict[str, float]:
    """Run the longest sample."""
    from mmer.edge.backends.ort import OrtSession  # noqa: PLC0415

    be_frugal()
    session = OrtSession.open(path)
    given = next(sample for number, sample in enumerate(samples(model, 2)) if number == 1)
    start = time.perf_counter()
    session.run(given)
    return {"seconds": time.perf_counter() - start}


def calibrate(model: str, path: Path, count: int, part: str) -> dict[str, float]:
    """Take ranges, and where asked for round the weights."""
    import onnx  # noqa: PLC0415

    from mmer.calibration.graph.network import Network  # noqa: PLC0415
    from mmer.calibration.graph.prepare import joined  # noqa: PLC0415
    from mmer.calibration.graph.sites import sites  # noqa: PLC0415
    from mmer.calibration.observation.observe import observe  # noqa: PLC0415
    from mmer.calibration.weights.rounding import levels_of  # noqa: PLC0415

    be_frugal()
    network = joined(Network.of(onnx.load(path, load_external_data=False), path.parent))
    start = time.perf_counter()

    def step(done: int, of: int) -> None:
        if done % 16 == 0:
            print(f"{done} of {of}, {time.perf_counter() - start:.0f} s, {high_water_mb()} MB", file=sys.stderr)

    if "observe" in part:
        observe(network, lambda: samples(model, count), step=step)
    if "round" in part:
        levels_of(network, sites(network), lambda: samples(model, count), 8)
    return {"seconds": time.perf_counter() - start, "sites": len(sites(network))}


def measured(*arguments: str) -> dict[str, float]:
    """Return what a process of its own says about itself."""
    run = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(run.stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for the graphs")
    parser.add_argument("--samples", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--part", default="observe", help="observe, round, or observe,round")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        model, path, count, part = options.child
        found = plain(model, Path(path)) if count == "0" else calibrate(model, Path(path), int(count), part)
        print(json.dumps({**found, "mb": high_water_mb()}))
        return
    with TemporaryDirectory() as folder:
        keep = options.keep or Path(folder)
        keep.mkdir(exist_ok=True)
        print("| model | samples | peak MB | above plain MB | s |\n|---|---|---|---|---|")
        for model in options.models:
            path = keep / f"{model}.onnx"
            if not path.exists():
                export(model, path)
            base = measured("--child", model, str(path), "0", "")
            print(f"| {model} | plain, longest | {base['mb']:.0f} | 0 | {base['seconds']:.1f} |", flush=True)
            for count in options.samples:
                row = measured("--child", model, str(path), str(count), options.part)
                print(
                    f"| {model} | {count} | {row['mb']:.0f} | {row['mb'] - base['mb']:.0f} | {row['seconds']:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
