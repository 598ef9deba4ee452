"""Element types and shapes of a network's tensors, as far as they can be told without running it."""

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

import onnx
from onnx import helper

from mmer.calibration.graph.network import Network

_SMALL = 1024
"""Elements of a constant whose values may decide a shape; larger ones are weights, which need not be copied."""


@dataclass(frozen=True, slots=True)
class Form:
    """Type and shape of a tensor."""

    kind: int
    """One of `onnx.TensorProto`."""
    shape: tuple[int | None, ...] | None
    """`None` for what is not known: a dimension, or how many there are."""


def forms(network: Network) -> Mapping[str, Form]:
    """Return what is known of the tensors that nodes make and of the inputs."""
    graph = network.model.graph
    large = {tensor.name: tensor for tensor in graph.initializer if math.prod(tensor.dims) > _SMALL}
    given = [helper.make_tensor_value_info(name, tensor.data_type, tensor.dims) for name, tensor in large.items()]
    rest = [tensor for tensor in graph.initializer if tensor.name not in large]
    light = helper.make_graph(graph.node, graph.name, [*graph.input, *given], graph.output, rest)
    model = helper.make_model(light, opset_imports=network.model.opset_import, ir_version=network.model.ir_version)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    found = [*inferred.value_info, *inferred.output, *graph.input]
    return {value.name: _form(value.type.tensor_type) for value in found if value.type.HasField("tensor_type")}


def kinds(network: Network) -> Mapping[str, int]:
    """Return the element types that are known, as numbers of `onnx.TensorProto`."""
    return {name: form.kind for name, form in forms(network).items()}


def fixed(network: Network) -> Set[str]:
    """Return the tensors of which every size is known."""
    return {name for name, form in forms(network).items() if form.shape is not None and None not in form.shape}


def _form(kind: onnx.TypeProto.Tensor) -> Form:
    if not kind.HasField("shape"):
        return Form(kind.elem_type, None)
    sizes = (size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim)
    return Form(kind.elem_type, tuple(sizes))
