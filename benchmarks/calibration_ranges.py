"""How far ranges are from those of ONNX Runtime's calibrators, on BERT-base with random weights.

    python benchmarks/calibration_ranges.py --keep FOLDER --samples 8 --tokens 256 [--methods minmax percentile]

The tensors compared are those that linear layers read. ONNX Runtime keeps every activation of every sample, and its
histograms need samples of one length; FOLDER is that of `calibration_memory.py`. Its entropy takes seconds a tensor.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from calibration_memory import export
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import joined
from mmer.calibration.observation.observe import observe
from mmer.calibration.observers import entropy, percentile
from mmer.edge.tensors import Tensors

OPTIONS: dict[str, tuple[CalibrationMethod, dict[str, object]]] = {
    "minmax": (CalibrationMethod.MinMax, {}),
    "average": (CalibrationMethod.MinMax, {"moving_average": True}),
    "percentile": (
        CalibrationMethod.Percentile,
        {"percentile": 100 * percentile.INSIDE, "num_bins": 8192, "symmetric": False},
    ),
    "entropy": (CalibrationMethod.Entropy, {"num_bins": entropy.BINS, "num_quantized_bins": entropy.LEVELS}),
}


class Reader(CalibrationDataReader):
    """Gives samples one by one."""

    def __init__(self, samples: list[Tensors]) -> None:
        self._samples = iter(samples)

    def get_next(self) -> Tensors | None:
        """Return the next one."""
        return next(self._samples, None)


def theirs(path: Path, samples: list[Tensors], method: str) -> dict[str, tuple[float, float]]:
    """Return the ranges of what layers read, as ONNX Runtime has them."""
    kind, options = OPTIONS[method]
    with TemporaryDirectory() as folder:
        calibrator = create_calibrator(
            path, ["MatMul"], f"{folder}/watched.onnx", kind, use_external_data_format=True, extra_options=options
        )
        calibrator.collect_data(Reader(samples))
        found = calibrator.compute_data()
    return {name: tuple(float(np.squeeze(value)) for value in data.range_value) for name, data in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--methods", nargs="+", default=list(OPTIONS), choices=OPTIONS)
    options = parser.parse_args()
    path = options.keep / "bert.onnx"
    if not path.exists():
        options.keep.mkdir(exist_ok=True)
        export("bert", path)
    rng = np.random.default_rng(0)
    samples: list[Tensors] = [{"x": rng.integers(0, 30000, (1, options.tokens))} for _ in range(options.samples)]
    observed = observe(
        joined(Network.of(onnx.load(path, load_external_data=False), path.parent)), lambda: iter(samples)
    )
    print("| method | tensors | largest difference, % of the range |\n|---|---|---|")
    for method in options.methods:
        wanted = theirs(path, samples, method)
        pairs = {name: wanted.get(name.removesuffix(".flat")) for name in observed.statistics}
        worst = max(
            max(abs(found.low - pair[0]), abs(found.high - pair[1])) / (pair[1] - pair[0])
            for name, pair in pairs.items()
            if pair
            for found in [observed.range(name, centred=False, method=method)]
        )
        print(f"| {method} | {sum(map(bool, pairs.values()))} | {100 * worst:.2f} |", flush=True)


if __name__ == "__main__":
    main()
