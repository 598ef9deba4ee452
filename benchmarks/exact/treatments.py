"""What people do to a graph before they run it, with ONNX Runtime's own tools at their defaults or with options."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from mmer.calibration.exact.case import Case
from mmer.calibration.exact.hunt import Treatment, TreatmentError

_SHARE_OF_OPTIONS = 0.5


class _Samples(CalibrationDataReader):
    """One sample."""

    def __init__(self, case: Case) -> None:
        self._left = [dict(case.inputs)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the sample, then nothing."""
        return self._left.pop() if self._left else None


def untouched(case: Case, rng: np.random.Generator) -> onnx.ModelProto:
    """Return the graph as it is."""
    del rng
    return case.model


def prepared(case: Case, rng: np.random.Generator) -> onnx.ModelProto:
    """Return the graph after `quant_pre_process`."""
    del rng
    return _through(quant_pre_process, case.model, "quant_pre_process")


def dynamic(case: Case, rng: np.random.Generator) -> onnx.ModelProto:
    """Return the graph after `quantize_dynamic`."""
    options = {"per_channel": bool(rng.integers(2)), "weight_type": _kind(rng)} if _optional(rng) else {}
    return _through(lambda model, path: quantize_dynamic(model, path, **options), case.model, "quantize_dynamic")


def static(case: Case, rng: np.random.Generator) -> onnx.ModelProto:
    """Return the graph after `quantize_static`."""
    options = {"per_channel": bool(rng.integers(2)), "activation_type": _kind(rng)} if _optional(rng) else {}

    def quantised(model: onnx.ModelProto, path: Path) -> None:
        quantize_static(model, path, _Samples(case), quant_format=QuantFormat.QDQ, **options)

    return _through(quantised, case.model, "quantize_static")


def prepared_first(
    then: Callable[[Case, np.random.Generator], onnx.ModelProto],
) -> Callable[[Case, np.random.Generator], onnx.ModelProto]:
    """Return a treatment after `quant_pre_process`."""
    return lambda case, rng: then(Case(prepared(case, rng), case.inputs), rng)


def _optional(rng: np.random.Generator) -> bool:
    return bool(rng.random() < _SHARE_OF_OPTIONS)


def _kind(rng: np.random.Generator) -> QuantType:
    return QuantType.QInt8 if rng.integers(2) else QuantType.QUInt8


def _through(tool: Callable[[onnx.ModelProto, Path], None], model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Return what a tool writes; it is given a copy."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    with tempfile.TemporaryDirectory(prefix="mmer-") as folder:
        path = Path(folder) / "made.onnx"
        try:
            tool(copy, path)
            return onnx.load(path)
        except Exception as error:
            raise TreatmentError(name, f"{type(error).__name__}: {error}") from error


TREATMENTS: tuple[tuple[Treatment, float], ...] = (
    (Treatment("float", untouched), 0.1),
    (Treatment("Q/DQ", untouched, levels=True), 0.35),
    (Treatment("quant_pre_process", prepared, preserving=True), 0.15),
    (Treatment("quantize_dynamic", dynamic), 0.1),
    (Treatment("quantize_static", static), 0.1),
    (Treatment("quant_pre_process, quantize_dynamic", prepared_first(dynamic)), 0.1),
    (Treatment("quant_pre_process, quantize_static", prepared_first(static)), 0.1),
)
"""With the share of graphs that each is applied to."""
