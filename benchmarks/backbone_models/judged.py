"""How a form of a graph does on inputs it was not made from: in ONNX Runtime at every level, and in OpenVINO."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from mmer.calibration.judgement.check import AGREEMENT, Rows, centred_cosine, cosine, outputs
from mmer.edge.backends.ort import OPTIMISATION_LEVELS, OrtSession, OrtSettings
from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors

Runner = Callable[[Tensors], object]

DEFAULT = "all"
_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Cosines:
    """Of one form to float; the worst over outputs."""

    centred: Mapping[str, float]
    """At each level of ONNX Runtime."""
    levels: float | None
    """The least between two levels, not centred."""
    openvino: float | None
    """Centred, in OpenVINO; `None` where it does not load."""
    plain: float | None = None
    """Between ONNX Runtime at its default and OpenVINO, not centred."""
    failure: str = ""

    @property
    def agrees(self) -> bool:
        """Whether it loads everywhere and says the same."""
        everywhere = len(self.centred) == len(OPTIMISATION_LEVELS) and self.openvino is not None
        return everywhere and min(self.levels or 0.0, self.plain or 0.0) >= AGREEMENT


def expected(reference: Path, inputs: Sequence[Tensors]) -> Rows:
    """Return what the float graph makes of inputs."""
    return outputs(reference, inputs)


def judged(path: Path, rows: Rows, inputs: Sequence[Tensors]) -> Cosines:
    """Compare a form with what float makes of the inputs."""
    levels = OPTIMISATION_LEVELS if path.suffix == ".onnx" else ()
    tried = {level: _at_level(path, level, inputs) for level in levels}
    found = {level: answer for level, answer in tried.items() if not isinstance(answer, str)}
    failures = [f"{level}: {said}" for level, said in tried.items() if isinstance(said, str)]
    other: Rows | None = None
    try:
        other = _in_openvino(path, rows, inputs)
    except RuntimeError as error:
        failures.append(f"OpenVINO: {str(error).strip().splitlines()[-1][:200]}")
    pairs = [(a, b) for place, a in enumerate(found.values()) for b in list(found.values())[place + 1 :]]
    return Cosines(
        {level: _worst(rows, answer, centred_cosine) for level, answer in found.items()},
        min((_worst(a, b, _plain) for a, b in pairs), default=None),
        _worst(rows, other, centred_cosine) if other else None,
        _worst(found[DEFAULT], other, _plain) if other and DEFAULT in found else None,
        "; ".join(failures),
    )


def _at_level(path: Path, level: str, inputs: Sequence[Tensors]) -> Rows | str:
    """Return the answers, or why there are none."""
    try:
        return outputs(path, inputs, OrtSettings(optimisation=level))
    except DeviceError as error:
        return str(error)[:200]


def milliseconds(paths: Mapping[str, Path], inputs: Sequence[Tensors], threads: int) -> Mapping[str, float]:
    """Return the median of each form's runs, all forms taking turns on the same inputs."""
    runners = {name: runner for name, path in paths.items() if (runner := _runner(path, threads))}
    times: dict[str, list[float]] = {name: [] for name in runners}
    for number, given in enumerate(islice(cycle(inputs), _ROUNDS + 2)):
        names = list(runners)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            start = time.perf_counter()
            runners[name](given)
            times[name].append(time.perf_counter() - start)
    return {name: 1e3 * float(np.median(found[2:])) for name, found in times.items()}


def _runner(path: Path, threads: int) -> Runner | None:
    """Return what runs a form: ONNX Runtime, or OpenVINO for its own files; `None` for what does not load."""
    try:
        if path.suffix == ".onnx":
            return OrtSession.open(path, OrtSettings(threads)).run
        return _compiled(path, threads)
    except (DeviceError, RuntimeError):
        return None


def _compiled(path: Path, threads: int) -> ov.CompiledModel:
    core = ov.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(core.read_model(path), "CPU", settings)


def _in_openvino(path: Path, rows: Rows, inputs: Sequence[Tensors]) -> Rows:
    model = _compiled(path, 1)
    made = [list(model(given).values()) for given in inputs]
    return {
        name: np.concatenate([answer[place].reshape(-1, rows[name].shape[1]) for answer in made])
        for place, name in enumerate(rows)
    }


def _plain(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return cosine(a.astype(np.float64), b.astype(np.float64)) if a.shape == b.shape else 0.0


def _worst(a: Rows, b: Rows, measure: Callable[[NDArray[np.float32], NDArray[np.float32]], float]) -> float:
    return min(measure(values, b[name]) for name, values in a.items())
