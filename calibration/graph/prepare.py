"""Linear layers as ONNX Runtime's INT8 kernels want them: one Gemm with its bias and ReLU, on two dimensions.

Exporters write a linear layer on `[B, T, D]` as MatMul and Add. Quantised as it stands, ALBERT is 1.7 times slower
than with Gemm, for which the bias counts as a part of the kernel. A matrix that several layers share is left as torch
has it, with a Transpose before each MatMul; that becomes a part of the Gemm too.
"""

from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.graph.network import Draft, Network, attributes


@dataclass(frozen=True, slots=True)
class Linear:
    """A product with a constant matrix, and what is folded into it."""

    product: onnx.NodeProto
    matrix: str
    transposed: bool
    """Whether the matrix holds a row for each output."""
    bias: str | None
    relu: bool
    absorbed: tuple[str, ...]
    """What the folded nodes made, the last of which is what the layer makes."""

    @property
    def output(self) -> str:
        """The tensor that the layer makes."""
        return self.absorbed[-1] if self.absorbed else str(self.product.output[0])


@dataclass(slots=True)
class _Flattened:
    """Tensors that exist on two dimensions too, by their names."""

    draft: Draft
    flat: dict[str, str] = field(default_factory=dict)
    leading: dict[str, str] = field(default_factory=dict)
    """The dimensions in front of the last one."""

    def of(self, tensor: str, width: int) -> str:
        if tensor not in self.flat:
            shape = self.draft.weight(f"flat.{width}", np.array([-1, width], np.int64))
            self.flat[tensor] = self.draft.add("Reshape", (tensor, shape), f"{tensor}.flat")
            self.leading[tensor] = self.draft.add("Shape", (tensor,), f"{tensor}.leading", end=-1)
        return self.flat[tensor]

    def restored(self, flat: str, like: str, width: int, output: str) -> None:
        """Give `output` the leading dimensions of `like`."""
        last = self.draft.weight(f"width.{width}", np.array([width], np.int64))
        shape = self.draft.add("Concat", (self.leading[like], last), f"{output}.shape", axis=0)
        self.draft.add("Reshape", (flat, shape), output)
        self.flat[output], self.leading[output] = flat, self.leading[like]


def prepared(model: onnx.ModelProto) -> Network:
    """Return a network that computes the same, up to rounding in the last place; weights that are shared stay so."""
    return joined(Network.of(model))


def joined(network: Network) -> Network:
    """Return a network that computes the same, up to rounding in the last place, its weights where they were."""
    linear = {id(found.product): found for node in network.nodes if (found := _linear(node, network))}
    gone = {name for found in linear.values() for name in found.absorbed}
    flattened = _Flattened(Draft())
    for node in network.nodes:
        if found := linear.get(id(node)):
            _write(found, flattened, network)
        elif node.output[0] not in gone:
            flattened.draft.nodes.append(node)
    return flattened.draft.rewritten(network)


def _linear(node: onnx.NodeProto, network: Network) -> Linear | None:
    """Return what a MatMul with a constant matrix can be joined with."""
    if node.op_type != "MatMul":
        return None
    matrix, transposed = _matrix(node.input[1], network)
    if matrix is None:
        return None
    absorbed: list[str] = []
    bias, relu = None, False
    follower = network.only_reader(node.output[0])
    if follower is not None and follower.op_type == "Add":
        bias = _bias(follower, network.weights[matrix].shape[0 if transposed else 1], network)
        absorbed += [follower.output[0]] if bias else []
        follower = network.only_reader(follower.output[0]) if bias else None
    if follower is not None and follower.op_type == "Relu":
        relu = True
        absorbed.append(follower.output[0])
    return Linear(node, matrix, transposed, bias, relu, tuple(absorbed))


def _matrix(name: str, network: Network) -> tuple[str | None, bool]:
    """Return a constant matrix, and whether it is multiplied with transposed; `None` for anything else."""
    maker = network.producers.get(name)
    transposed = maker is not None and maker.op_type == "Transpose"
    source = str(maker.input[0]) if maker is not None and transposed else name
    constant = source in network.weights and network.weights[source].ndim == 2
    turned = not transposed or maker is None or list(attributes(maker).get("perm", [1, 0])) == [1, 0]
    return (source if constant and turned else None), transposed


def _bias(add: onnx.NodeProto, columns: int, network: Network) -> str | None:
    """Return the operand of an Add that is one constant for each column of the product."""
    found = (name for name in add.input if name in network.weights and network.weights[name].shape == (columns,))
    return next(found, None)


def _write(linear: Linear, flattened: _Flattened, network: Network) -> None:
    draft, given = flattened.draft, str(linear.product.input[0])
    rows, columns = network.weights[linear.matrix].shape[:: -1 if linear.transposed else 1]
    operands = (flattened.of(given, rows), linear.matrix, *([linear.bias] if linear.bias else []))
    turned = {"transB": 1} if linear.transposed else {}
    made = draft.add("Gemm", operands, f"{linear.product.output[0]}.flat", **turned)
    if linear.relu:
        made = draft.add("Relu", (made,), f"{linear.output}.flat")
    flattened.restored(made, given, columns, linear.output)
