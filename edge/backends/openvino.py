"""Graphs run by OpenVINO on the processor; the only file that imports it."""

from dataclasses import dataclass
from pathlib import Path

import openvino as ov

from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors, TensorSpec

_FREE = "?"
"""OpenVINO forgets what a dimension of any size is called."""


@dataclass(frozen=True, slots=True)
class OvSettings:
    """How a session computes."""

    threads: int = 1
    precision: str = "f32"
    """Of what is not quantised: OpenVINO's own choice is half precision where the processor has it."""


class OvSession:
    """A graph compiled by OpenVINO; it answers one caller at a time."""

    def __init__(self, model: ov.Model, compiled: ov.CompiledModel) -> None:
        self.inputs = tuple(_spec(port) for port in model.inputs)  # compiling adds names of inner tensors to the ports
        self.outputs = tuple(_spec(port) for port in model.outputs)
        self._request = compiled.create_infer_request()

    @classmethod
    def open(cls, graph: Path | bytes, settings: OvSettings = OvSettings()) -> "OvSession":
        """Compile a graph from a file or from memory; raise `DeviceError` when OpenVINO refuses it."""
        core = ov.Core()
        try:
            model = core.read_model(graph if isinstance(graph, bytes) else str(graph))
            return cls(model, core.compile_model(model, "CPU", _options(settings)))
        except RuntimeError as error:
            name = "graph" if isinstance(graph, bytes) else graph
            raise DeviceError(f"{name}: OpenVINO cannot load it ({_first_line(error)})") from error

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs; raise `DeviceError` for inputs that do not fit, or when OpenVINO fails."""
        for spec in self.inputs:
            _require(spec, inputs)
        try:
            found = self._request.infer({spec.name: inputs[spec.name] for spec in self.inputs}, share_inputs=True)
        except RuntimeError as error:
            raise DeviceError(f"OpenVINO failed ({_first_line(error)})") from error
        return {spec.name: found[place] for place, spec in enumerate(self.outputs)}


def version() -> str:
    """Return the version of OpenVINO."""
    return str(ov.__version__)


def _options(settings: OvSettings) -> dict[str, object]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": settings.threads,
        "INFERENCE_PRECISION_HINT": settings.precision,
    }


def _spec(port: ov.Output) -> TensorSpec:
    shape = tuple(_FREE if size.is_dynamic else size.get_length() for size in port.partial_shape)
    return TensorSpec(port.any_name, port.element_type.to_dtype().name, shape)


def _require(spec: TensorSpec, inputs: Tensors) -> None:
    """Raise `DeviceError` for what OpenVINO would convert, or read as another shape, without a word."""
    given = inputs.get(spec.name)
    if given is None:
        raise DeviceError(f"OpenVINO needs the input {spec.name}, which was not given")
    fits = len(given.shape) == len(spec.shape) and all(
        wanted in (_FREE, size) for wanted, size in zip(spec.shape, given.shape, strict=True)
    )
    if given.dtype.name != spec.dtype or not fits:
        wanted = f"{spec.dtype} {[*spec.shape]}"
        raise DeviceError(f"OpenVINO needs {spec.name} as {wanted}, it was given as {given.dtype} {[*given.shape]}")


def _first_line(error: Exception) -> str:
    """Return the first line that says more than where in OpenVINO's source it was written."""
    lines = [line for line in str(error).strip().splitlines() if line and not line.startswith("Exception from")]
    return lines[0] if lines else "it gives no reason"
