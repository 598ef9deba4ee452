"""Single operators as the reference implementation of the `onnx` package computes them, in float64."""

from functools import lru_cache

import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from mmer.calibration.graph.network import Array, attributes

OPSET = 21
"""For operators that are run alone; what changed since 18 in those used here is element types and Reduce's axes."""


def applied(node: onnx.NodeProto, *operands: Array) -> tuple[Array, ...]:
    """Return all outputs of a node; an operand that it leaves out is not passed."""
    plain = onnx.NodeProto()
    plain.CopyFrom(node)
    plain.name, plain.doc_string = "", ""
    plain.input[:] = [f"i{place}" for place in range(len(operands))]
    plain.output[:] = [f"o{place}" for place in range(len(node.output))]
    found = _evaluator(plain.SerializeToString()).run(None, dict(zip(plain.input, operands, strict=True)))
    return tuple(found)


def stripped(node: onnx.NodeProto, *names: str) -> onnx.NodeProto:
    """Return a node without some of its attributes."""
    kept = {name: value for name, value in attributes(node).items() if name not in names}
    return helper.make_node(node.op_type, list(node.input), list(node.output), **kept)


@lru_cache(maxsize=4096)
def _evaluator(node: bytes) -> ReferenceEvaluator:
    made = onnx.NodeProto()
    made.ParseFromString(node)
    return ReferenceEvaluator(made, opsets={"": OPSET})
