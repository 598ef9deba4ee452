"""A float ONNX file of anybody's, in the one form that calibration works on."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import version_converter

from mmer.edge.backends.ort import OrtSession, simplified
from mmer.edge.bundle.digest import digest
from mmer.edge.errors import DataError, DeviceError
from mmer.edge.tensors import TensorSpec

OPSET = 17
"""What older graphs are converted to."""

_OWN_WEIGHTS = 4
"""From this version of the format on, weights need not stand among the inputs."""
_OLDEST = 15
"""`Shape` with an end, which calibration writes; levels by channel need 13."""
_MOST_BYTES = (1 << 31) - 1
"""What protobuf can hold."""
_TAKEN = {"float32", "int64", "int32", "bool"}
_QUANTISED = ("QuantizeLinear", "QLinear", "MatMulInteger", "ConvInteger", "MatMulNBits", "QGemm", "QAttention")
"""How the names of operators begin that only quantised graphs have."""
_WIDE = {
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.BFLOAT16: "bfloat16",
    onnx.TensorProto.DOUBLE: "float64",
}


class ModelFileError(DataError):
    """An ONNX file cannot be calibrated."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")


@dataclass(frozen=True, slots=True, eq=False)
class OnnxFile:
    """A float graph that ONNX Runtime runs."""

    path: Path
    digest: str
    """SHA-256 of what was read, weights beside the file included."""
    clean: bytes
    """The same function with constants folded, ready to be taken apart."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @classmethod
    def read(cls, path: Path) -> "OnnxFile":
        """Read a file and the weights beside it; raise `ModelFileError` for one that is not a float32 graph."""
        model = _modern(_loaded(path), path)
        if fault := next(_faults(model), None):
            raise ModelFileError(path, fault)
        content: bytes = model.SerializeToString()
        try:
            clean, session = _clean(content), OrtSession.open(path)
        except DeviceError as error:
            raise ModelFileError(path, f"{error}; check it with onnx.checker and export it again") from error
        if fault := next(_edges(session), None):
            raise ModelFileError(path, fault)
        return cls(path, digest(content), clean, session.inputs, session.outputs)


def _loaded(path: Path) -> onnx.ModelProto:
    """Return a model with its weights, none of which may lie outside its folder."""
    try:
        model = onnx.load(path)
    except FileNotFoundError as error:
        raise ModelFileError(path, "no such file; check the path") from error
    except (DecodeError, onnx.checker.ValidationError, ValueError, OSError) as error:
        said = str(error).strip().partition("\n")[0]
        raise ModelFileError(path, f"not a usable ONNX file ({said}); export it again") from error
    if not model.graph.node:
        raise ModelFileError(path, "not a usable ONNX file (it has no nodes); export it again")
    if model.ByteSize() > _MOST_BYTES:
        raise ModelFileError(path, "larger than 2 GB with its weights; split it into parts")
    return model


def _modern(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """Return the model in an opset that calibration can write, its weights no longer among its inputs."""
    held = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in held]
    del model.graph.input[:]
    model.graph.input.extend(given)
    model.ir_version = max(model.ir_version, _OWN_WEIGHTS)
    opset = next((entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}), 0)
    if opset >= _OLDEST:
        return model
    try:
        converted: onnx.ModelProto = version_converter.convert_version(model, OPSET)
    except (version_converter.ConvertError, RuntimeError, ValueError) as error:
        said = str(error).strip().partition("\n")[0][:120]
        raise ModelFileError(
            path, f"opset {opset} cannot be converted ({said}); export it at {OPSET} or more"
        ) from error
    return converted


def _clean(content: bytes) -> bytes:
    """Return a graph with constants folded, that names no operator sets which it does not use."""
    model = onnx.load_from_string(simplified(content))
    used = {node.domain for node in model.graph.node} | {""}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    clean: bytes = model.SerializeToString()
    return clean


def _faults(model: onnx.ModelProto) -> Iterator[str]:
    """Yield why a graph has nothing to quantise in float32."""
    for node in model.graph.node:
        if node.op_type.startswith(_QUANTISED):
            yield f"already quantised (it has {node.op_type}); give the float graph that it was made from"
    for tensor in model.graph.initializer:
        if tensor.data_type in _WIDE and len(tensor.dims) > 1:
            yield f"weight {tensor.name} is {_WIDE[tensor.data_type]}; give the float32 graph"


def _edges(session: OrtSession) -> Iterator[str]:
    """Yield what is wrong with inputs and outputs."""
    for spec in session.inputs:
        if spec.dtype not in _TAKEN:
            yield f"input {spec.name} is {spec.dtype}, and only {', '.join(sorted(_TAKEN))} can be given"
    if not any(spec.dtype == "float32" for spec in session.outputs):
        yield "it has no float32 output to compare"
