"""Newer editions of ONNX's operators."""

import onnx
from onnx import version_converter

_SAME = 18
"""From here to 21 operators only took more types and attributes."""
_IR = 10


def opset(model: onnx.ModelProto) -> int:
    """Return the edition of the standard's own operators."""
    return next(int(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx"))


def raised(model: onnx.ModelProto, least: int) -> onnx.ModelProto:
    """Return a model whose operators are of this edition or a later one."""
    if opset(model) >= least:
        return model
    if opset(model) < _SAME:
        return version_converter.convert_version(model, least)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.ir_version = max(copy.ir_version, _IR)
    for one in copy.opset_import:
        if one.domain in ("", "ai.onnx"):
            one.version = least
    return copy
