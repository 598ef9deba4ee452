"""What others make of a float file without being told anything about it, and a few settings that they offer."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from collapses.network import INPUT, Float
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

Maker = Callable[[Float], bytes]

LAYERS = ("Conv", "Gemm", "MatMul")
_NNCF = Path(__file__).with_name("with_nncf.py")


class _Stills(CalibrationDataReader):
    """Gives stills one after another."""

    def __init__(self, float_: Float) -> None:
        self._left: Iterator[dict[str, object]] = iter([{INPUT: still} for still in float_.stills])

    def get_next(self) -> dict[str, object] | None:
        """Return what a session reads, `None` behind the last."""
        return next(self._left, None)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a caller of `quantize_static` says; nothing by default."""

    named: Mapping[str, object] = field(default_factory=dict)


STATIC: Mapping[str, Choices] = {
    "ONNX Runtime static": Choices(),
    "ONNX Runtime static, per channel": Choices({"per_channel": True}),
    "ONNX Runtime static, percentile": Choices({"calibrate_method": CalibrationMethod.Percentile}),
    "ONNX Runtime static, entropy": Choices({"calibrate_method": CalibrationMethod.Entropy}),
    "all signed and symmetric, per channel": Choices(
        {"per_channel": True, "extra_options": {"ActivationSymmetric": True, "WeightSymmetric": True}}
    ),
    "ONNX Runtime static, Conv, Gemm and MatMul only": Choices({"op_types_to_quantize": list(LAYERS)}),
}
"""By the name of the row. The fifth is the form of TensorRT, residual additions included."""


def quantisers(nncf: Path | None) -> Mapping[str, Maker]:
    """Return ways to INT8 by the name of the row; NNCF needs a Python that has it."""
    found: dict[str, Maker] = {name: partial(static, choices) for name, choices in STATIC.items()}
    found["ONNX Runtime dynamic"] = dynamic
    if nncf:
        found["NNCF"] = partial(by_nncf, nncf, "")
        found["NNCF, told of a transformer"] = partial(by_nncf, nncf, "transformer")
    return found


def static(choices: Choices, float_: Float) -> bytes:
    """Return what `quantize_static` writes after its own preparation."""
    with tempfile.TemporaryDirectory() as folder:
        prepared, made = _prepared(float_, Path(folder)), Path(folder) / "int8.onnx"
        with redirect_stdout(sys.stderr):  # calibrators tell of their bins
            quantize_static(prepared, made, _Stills(float_), **choices.named)
        return made.read_bytes()


def dynamic(float_: Float) -> bytes:
    """Return what `quantize_dynamic` writes."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        quantize_dynamic(_prepared(float_, Path(folder)), made)
        return made.read_bytes()


def by_nncf(python: Path, kind: str, float_: Float) -> bytes:
    """Return what NNCF writes in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "float.onnx").write_bytes(float_.content)
        np.save(folder / "stills.npy", np.stack(float_.stills))
        command = [str(python), str(_NNCF), str(folder), INPUT, kind]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": ""})
        return (folder / "int8.onnx").read_bytes()


def _prepared(float_: Float, folder: Path) -> Path:
    (folder / "float.onnx").write_bytes(float_.content)
    quant_pre_process(folder / "float.onnx", folder / "prepared.onnx")
    return folder / "prepared.onnx"
