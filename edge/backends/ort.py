"""Graphs run by ONNX Runtime; the only file that imports it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as native

from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors, TensorSpec

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(bool)": "bool",
}

_NATIVE: list[type[Exception]] = [c for c in vars(native).values() if isinstance(c, type) and issubclass(c, Exception)]
_FAILURES: tuple[type[Exception], ...] = (ValueError, RuntimeError, *_NATIVE)

OPTIMISATION_LEVELS = {
    "disabled": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


@dataclass(frozen=True, slots=True)
class OrtSettings:
    """How a session computes.

    Idle sessions that spin take the cores from the one that works (2 to 3 times slower end to end), and the
    memory arena keeps about 80 MB that six small graphs do not need: both are off unless asked for.
    """

    threads: int = 1
    optimisation: str = "all"
    spinning: bool = False
    arena: bool = False
    patterns: bool = True
    """Whether to allocate at once what earlier inputs of the same shapes took; of many shapes, all are remembered."""
    weights: Path | None = None
    """The folder of weights that a graph in memory only refers to."""


class OrtSession:
    """A graph loaded by ONNX Runtime."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self.inputs = tuple(_spec(node) for node in session.get_inputs())
        self.outputs = tuple(_spec(node) for node in session.get_outputs())
        self._names = [spec.name for spec in self.outputs]

    @classmethod
    def open(cls, graph: Path | bytes, settings: OrtSettings = OrtSettings()) -> "OrtSession":
        """Load a graph from a file or from memory; raise `DeviceError` when ONNX Runtime refuses it."""
        source = graph if isinstance(graph, bytes) else str(graph)
        try:
            session = ort.InferenceSession(source, _options(settings), providers=["CPUExecutionProvider"])
        except _FAILURES as error:
            name = "graph" if isinstance(graph, bytes) else graph
            raise DeviceError(f"{name}: ONNX Runtime cannot load it ({_first_line(error)})") from error
        vars(session).pop("_model_bytes", None)  # kept by Python for a change of providers; the graph is parsed by now
        return cls(session)

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs; raise `DeviceError` when ONNX Runtime fails."""
        try:
            values = self._session.run(self._names, dict(inputs))
        except _FAILURES as error:
            raise DeviceError(f"ONNX Runtime failed ({_first_line(error)})") from error
        return dict(zip(self._names, values, strict=True))


def simplified(graph: bytes) -> bytes:
    """Return a graph as ONNX Runtime simplifies it, in standard operators; raise `DeviceError` when it refuses it.

    Functions are written out, constants folded, norms made part of their convolutions. Its joining of MatMul and Add
    is left out: where layers share a weight, what it writes does not load again (1.31).
    """
    options = _options(OrtSettings(optimisation="basic"))
    with tempfile.TemporaryDirectory(prefix="mmer-") as folder:
        options.optimized_model_filepath = str(Path(folder) / "graph.onnx")
        try:
            ort.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=["MatMulAddFusion"]
            )
        except _FAILURES as error:
            raise DeviceError(f"ONNX Runtime cannot load it ({_first_line(error)})") from error
        return Path(options.optimized_model_filepath).read_bytes()


def version() -> str:
    """Return the version of ONNX Runtime."""
    return str(ort.__version__)


def providers() -> tuple[str, ...]:
    """Name what this build of ONNX Runtime can run on, the fastest first."""
    return tuple(ort.get_available_providers())


def _options(settings: OrtSettings) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = OPTIMISATION_LEVELS[settings.optimisation]
    options.enable_cpu_mem_arena = settings.arena
    options.enable_mem_pattern = settings.patterns
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if settings.spinning else "0")
    if settings.weights is not None:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(settings.weights))
    options.log_severity_level = 3  # errors arrive as exceptions; warnings would mix with results on a terminal
    return options


def _spec(node: ort.NodeArg) -> TensorSpec:
    shape = tuple(d if isinstance(d, int) else str(d) for d in node.shape)
    return TensorSpec(node.name, _DTYPES.get(node.type, node.type), shape)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
