"""The face detector's networks as torch modules, with the weights of `edge/assets/faces`.

Those graphs are rearranged for ONNX Runtime (`scripts/make_face_detector.py`); here they become again what they were
made from: convolution, PReLU, pooling, dense layers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from rivals.torch_faces import NETWORKS, Flat, Network
from torch import Tensor, nn

from mmer.edge.faces.mtcnn import ASSETS

_POOLS = {"pnet": (2, 0, 0), "rnet": (3, 3, 0), "onet": (3, 3, 2, 0)}
"""Window of the pool after each convolution, 0 for none."""
_HEADS = {"pnet": 1, "rnet": 2, "onet": 3}
"""How many layers at the end give answers."""
_FIRST = 10
"""Channels of the proposal network's first convolution; its graph has six more."""

Values = Mapping[str, Tensor]
Layer = tuple[nn.Module, Tensor]
"""A layer and the slopes of the PReLU behind it, none for a head."""


def save_networks(path: Path) -> None:
    """Write the three networks."""
    torch.save({name: _network(name) for name in NETWORKS}, path)


def _network(name: str) -> Network:
    graph = onnx.load(ASSETS / f"{name}.onnx").graph
    values = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    layers = list(_layers(graph.node, values))
    if name == "pnet":
        layers = _unpooled(layers)
    inner, heads = layers[: -_HEADS[name]], [head for head, _ in layers[-_HEADS[name] :]]
    trunk: list[nn.Module] = []
    for (layer, slopes), pool in zip(inner, (*_POOLS[name], 0), strict=False):
        trunk += [Flat()] if isinstance(layer, nn.Linear) else []
        trunk += [layer, _prelu(slopes)]
        trunk += [nn.MaxPool2d(pool, 2, ceil_mode=True)] if pool else []
    if name == "pnet":
        heads = _halves(heads[0])
    return Network(nn.Sequential(*trunk), heads).eval()


def _layers(nodes: Sequence[onnx.NodeProto], values: Values) -> Iterator[Layer]:
    """Yield layers; x + s relu(m x) behind one is a PReLU of slope 1 + m s."""
    layer: nn.Module | None = None
    factors: list[Tensor] = []
    for node in nodes:
        if node.op_type in {"Conv", "Gemm"}:
            if layer is not None:
                yield layer, _slopes(factors)
            layer, factors = _layer([values[name] for name in node.input[1:]]), []
        elif node.op_type == "Mul":
            factors.append(values[node.input[1]].ravel())
    assert layer is not None
    yield layer, _slopes(factors)


def _slopes(factors: Sequence[Tensor]) -> Tensor:
    return 1 + torch.stack(list(factors)).prod(0) if factors else torch.zeros(0)


def _layer(weights: Sequence[Tensor]) -> nn.Module:
    weight, bias = (*weights, None)[:2]
    if weight.dim() == 2:
        weight = weight.T
    made = nn.Linear(*weight.shape[::-1]) if weight.dim() == 2 else _convolution(weight)
    made.weight.data = weight.contiguous()
    made.bias.data = torch.zeros(len(weight)) if bias is None else bias
    return made


def _convolution(weight: Tensor) -> nn.Conv2d:
    return nn.Conv2d(weight.shape[1], weight.shape[0], tuple(weight.shape[2:]))


def _unpooled(layers: Sequence[Layer]) -> list[Layer]:
    """Return the proposal network with its first PReLU before the pool, and without the channels that this saved."""
    (first, _), (below, _), (share, _), (second, slopes), *rest = layers
    kernel, bias = first.weight.data, first.bias.data
    own = 1 - share.weight.data[:_FIRST, :_FIRST, 0, 0].diagonal()
    for row, column in below.weight.data[:_FIRST, _FIRST:, 0, 0].nonzero().tolist():
        own[row] = (kernel[_FIRST + column] * kernel[row]).sum() / kernel[row].square().sum()
    convolution = _layer([kernel[:_FIRST], bias[:_FIRST]])
    return [(convolution, own), (_layer([second.weight.data[:, :_FIRST], second.bias.data]), slopes), *rest]


def _halves(head: nn.Module) -> list[nn.Module]:
    """Return the head of offsets and that of the logit, which are one convolution in the graph."""
    return [_layer([head.weight.data[part], head.bias.data[part]]) for part in (slice(0, 4), slice(4, 5))]


def _prelu(slopes: Tensor) -> nn.PReLU:
    made = nn.PReLU(len(slopes))
    made.weight.data = slopes.clone()
    return made
