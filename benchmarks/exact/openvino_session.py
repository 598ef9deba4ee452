"""A graph loaded by OpenVINO on the CPU, in float32 wherever it is not quantised."""

import openvino as ov

from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors, TensorSpec

SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "INFERENCE_NUM_THREADS": "1",
}
"""The default is bfloat16 where the processor has it, and levels of its own for products with integer weights."""

_CORE = ov.Core()


class OvSession:
    """A compiled model."""

    def __init__(self, model: ov.CompiledModel) -> None:
        self._request = model.create_infer_request()
        self.inputs = tuple(TensorSpec(name, "float32", ()) for port in model.inputs for name in port.names)
        self.outputs = tuple(TensorSpec(name, "float32", ()) for port in model.outputs for name in port.names)

    @classmethod
    def open(cls, content: bytes) -> "OvSession":
        """Load a graph; raise `DeviceError` when OpenVINO refuses it."""
        try:
            return cls(_CORE.compile_model(_CORE.read_model(content, b""), "CPU", SETTINGS))
        except RuntimeError as error:
            raise DeviceError(f"OpenVINO cannot load it ({_reason(error)})") from error

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs; raise `DeviceError` when OpenVINO fails."""
        try:
            made = self._request.infer(dict(inputs))
        except RuntimeError as error:
            raise DeviceError(f"OpenVINO failed ({_reason(error)})") from error
        return {spec.name: made[spec.name].copy() for spec in self.outputs}


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("Exception from"))[:300]
