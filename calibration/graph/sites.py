"""Where a graph may be quantised: layers with constant weights, told by structure and never by name.

What is not a site stays float: recurrent nets, norms, softmax, GELU, embeddings, residual additions, and products of
two activations. So no softmax output is ever quantised, which ONNX Runtime 1.31 would compute wrongly without a word
(`QLinearSoftmax`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx

from mmer.calibration.graph.network import Network, attributes

PASSING = frozenset({"Flatten", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators whose output holds nothing but values of their first input."""

_RECTIFIERS = ("Relu", "LeakyRelu")
_GATED = ("Gemm", "MatMul", "Add", "Relu", "Reshape", "Squeeze", "Unsqueeze", "Concat")
_LAST = -1
_NARROW = 16
"""Fewer rows or columns than this are not worth a quantised kernel; TensorRT draws the same line."""


@dataclass(frozen=True, slots=True)
class Site:
    """A Conv or Gemm that can be computed in INT8."""

    input: str
    weight: str
    bias: str | None
    axis: int
    """Of the weight, along which the output channels lie."""
    output: str
    channels: int
    """The axis of the input along which its channels lie."""

    @property
    def last(self) -> bool:
        """Whether the channels of the input lie along its last axis, as a Gemm reads them."""
        return self.channels == _LAST


@dataclass(frozen=True, slots=True)
class Scale:
    """How a tensor is quantised."""

    root: str
    """The tensor whose range it uses."""
    fused: bool
    """Whether everything reads the quantised values, because a kernel writes no others; else only sites do."""
    centred: bool = False
    """Whether each channel is shifted by its mean first, so that the levels are spent on what differs."""
    joined: frozenset[str] = frozenset()
    """What is made, by other operators than sites, from the quantised values where not everything reads them."""


def sites(network: Network) -> Mapping[str, Site]:
    """Return the sites by what they make."""
    gated = gates(network)
    found = (_site(node, network) for node in network.nodes if node.output[0] not in gated)
    return {site.output: site for site in found if site}


def readings(network: Network, sites: Mapping[str, Site]) -> Mapping[str, int | None]:
    """Return what must be seen of a network, whichever target it is for: tensors, and the axis of their channels."""
    found: dict[str, int | None] = dict.fromkeys(scale.root for scale in scales(network, sites).values())
    found |= dict.fromkeys(residuals(network, sites).values())
    return found | {site.input: site.channels for site in sites.values()}


def residuals(network: Network, sites: Mapping[str, Site]) -> Mapping[str, str]:
    """Return sums with a convolution that nothing else reads, each with its other operand."""
    found = {}
    for node in network.nodes:
        operands = set(node.input)
        bare = [name for name in node.input if name in sites and _bare(sites[name], network)]
        if node.op_type == "Add" and bare and len(operands) == 2 and not network.weights.keys() & operands:
            (found[node.output[0]],) = operands - {bare[-1]}
    return found


def _bare(site: Site, network: Network) -> bool:
    return network.maker(site.output) == "Conv" and network.only_reader(site.output) is not None


def gates(network: Network) -> frozenset[str]:
    """Return what leads through plain layers to a sigmoid by which other numbers are weighed: to a confidence.

    Few levels could not tell confidences apart. A sigmoid that is an answer, or that weighs its own argument (SiLU), is
    none.
    """
    found: set[str] = set()
    waiting = [node.input[0] for node in network.nodes if node.op_type == "Sigmoid" and _weighs(node, network)]
    while waiting:
        tensor = waiting.pop()
        if network.maker(tensor) in _GATED and tensor not in found:
            found.add(tensor)
            waiting += network.producers[tensor].input
    return frozenset(found)


def _weighs(sigmoid: onnx.NodeProto, network: Network) -> bool:
    readers = network.readers(sigmoid.output[0])
    return any(reader.op_type == "Mul" and sigmoid.input[0] not in reader.input for reader in readers)


def scales(network: Network, sites: Mapping[str, Site]) -> Mapping[str, Scale]:
    """Return the tensors to quantise.

    A convolution needs a quantised output to run in INT8. A Gemm does not, and what it makes stays float. What a Gemm
    alone reads is centred: the mean's share of the product is exact in the bias, and where inputs are alike the mean
    is most of them. A convolution cannot have that, because what it pads with would have to be shifted too.
    """
    written = {name for site in sites.values() for name in _convolved(site, network)}
    found = {name: Scale(name, fused=True) for name in written}
    for site in sites.values():
        passed = chain(site.input, network)
        if passed[-1] in written:
            found |= dict.fromkeys(passed, Scale(passed[-1], fused=True))
        else:
            readers = [other for other in sites.values() if other.input == site.input]
            found[site.input] = Scale(site.input, fused=False, centred=all(r.last for r in readers))
    return found


def chain(tensor: str, network: Network) -> list[str]:
    """Return a tensor and those before it whose values were only passed on, back to where they were made."""
    found = [tensor]
    while network.maker(found[-1]) in PASSING:
        found.append(network.producers[found[-1]].input[0])
    return found


def _feeds_softmax(tensor: str, network: Network) -> bool:
    readers = network.readers(tensor)
    passed = (r.output[0] for r in readers if r.op_type in PASSING)
    return any(r.op_type == "Softmax" for r in readers) or any(_feeds_softmax(name, network) for name in passed)


def _site(node: onnx.NodeProto, network: Network) -> Site | None:
    if node.op_type not in _CHECKS or len(node.input) < 2 or node.input[1] not in network.weights:
        return None
    if network.maker(chain(node.input[0], network)[-1]) == "Softmax" or _feeds_softmax(node.output[0], network):
        return None
    bias = node.input[2] if len(node.input) > 2 and node.input[2] else None
    if bias is not None and (bias not in network.weights or network.weights[bias].ndim != 1):
        return None
    axis = _CHECKS[node.op_type](node, network)
    if axis is None:
        return None
    return Site(node.input[0], node.input[1], bias, axis, node.output[0], 1 if node.op_type == "Conv" else _LAST)


def _convolution(node: onnx.NodeProto, network: Network) -> int | None:
    """Return the axis of output channels, `None` for one that reads raw sound or ends the graph."""
    raw = network.weights[node.input[1]].shape[1] * attributes(node).get("group", 1) == 1
    ends = network.outputs & {node.output[0], _rectified(node.output[0], network)}
    return None if raw or ends else 0


def _product(node: onnx.NodeProto, network: Network) -> int | None:
    """Return the axis of output columns, `None` for a product that is too narrow, transposed or scaled."""
    stated = attributes(node)
    plain = stated.get("alpha", 1.0) == stated.get("beta", 1.0) == 1.0 and not stated.get("transA", 0)
    if not plain or min(network.weights[node.input[1]].shape) < _NARROW:
        return None
    return 0 if stated.get("transB", 0) else 1


_CHECKS = {"Conv": _convolution, "Gemm": _product}


def _rectified(tensor: str, network: Network) -> str:
    """Return what a rectifier makes of a tensor that nothing else reads, else the tensor."""
    reader = network.only_reader(tensor)
    return reader.output[0] if reader is not None and reader.op_type in _RECTIFIERS else tensor


def _convolved(site: Site, network: Network) -> Iterator[str]:
    """Yield what is quantised behind a convolution: its output and, where that is another kernel, the rectified one."""
    if network.maker(site.output) != "Conv":
        return
    rectified = _rectified(site.output, network)
    if network.maker(rectified) != "Relu":  # a ReLU becomes part of the convolution
        yield site.output
    if rectified != site.output:
        yield rectified
