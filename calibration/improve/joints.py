"""Where the channels of a tensor may be multiplied and its readers' weights divided: nobody can tell from outside.

The factors vanish in the norm or layer in front, if what lies between passes them on channel by channel: the smoothing
of Xiao et al. (arXiv:2211.10438) and the equalisation of Nagel et al. (arXiv:1906.04721). Where somebody else reads the
tensor too, as behind the norms of BERT, nothing is done: a multiplication of its own cost more than it gained.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import onnx

from mmer.calibration.graph.network import Network, attributes
from mmer.calibration.graph.sites import Site

_LINEAR = frozenset({"Relu", "LeakyRelu"})
"""Operators that pass on a positive factor of a channel."""
_POOLS = frozenset({"MaxPool", "AveragePool"})


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A tensor and the sites that read it."""

    tensor: str
    sites: tuple[Site, ...]
    fold: onnx.NodeProto
    """The norm or layer in which factors vanish."""

    @property
    def last(self) -> bool:
        """Whether channels lie along the last axis."""
        return self.sites[0].last

    def channels(self, network: Network) -> int:
        """Return how many channels the tensor has."""
        site = self.sites[0]
        shape = network.weights[site.weight].shape
        groups = attributes(network.producers[site.output]).get("group", 1)
        return int(shape[1 - site.axis]) if site.last else int(shape[1] * groups)


def joints(network: Network, found: Mapping[str, Site]) -> Sequence[Sequence[Joint]]:
    """Return the joints that may be scaled, in groups that share a weight and so need the same factors."""
    readers: dict[str, list[Site]] = {}
    for site in found.values():
        readers.setdefault(site.input, []).append(site)
    folds = {tensor: fold for tensor, sites in readers.items() if (fold := _fold(tensor, sites, network))}
    every = [Joint(tensor, tuple(readers[tensor]), fold) for tensor, fold in folds.items()]
    return [group for group in _groups(every) if _free(group, network)]


def _groups(every: Sequence[Joint]) -> list[list[Joint]]:
    groups: list[list[Joint]] = []
    for joint in every:
        weights = {site.weight for site in joint.sites}
        linked = [g for g in groups if any(site.weight in weights for other in g for site in other.sites)]
        groups = [g for g in groups if g not in linked] + [[other for g in linked for other in g] + [joint]]
    return groups


def _free(group: Sequence[Joint], network: Network) -> bool:
    """Tell whether nothing but the group reads its weights."""
    inside = {site.output for joint in group for site in joint.sites}
    weights = {site.weight for joint in group for site in joint.sites}
    alone = all(reader.output[0] in inside for name in weights for reader in network.readers(name))
    return alone and len({joint.last for joint in group}) == 1


def _fold(tensor: str, sites: Sequence[Site], network: Network) -> onnx.NodeProto | None:
    """Return the node in front that can take the factors of a tensor, unless somebody else would see them."""
    inside = {site.output for site in sites}
    last = sites[0].last
    width = network.weights[sites[0].weight].shape[1 - sites[0].axis] if last else 0
    for name, node in _upwards(tensor, network):
        if any(reader.output[0] not in inside for reader in _looking(name, network)) or name in network.outputs:
            return None
        if _takes(node, network, last=last):
            return node
        if not _passes(node, network, width):
            return None
        inside = {node.output[0]}
    return None


def _upwards(tensor: str, network: Network) -> Iterator[tuple[str, onnx.NodeProto]]:
    while tensor in network.producers:
        node = network.producers[tensor]
        yield tensor, node
        tensor = node.input[0]


def _looking(tensor: str, network: Network) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that read the values of a tensor, not only its shape."""
    return (reader for reader in network.readers(tensor) if reader.op_type != "Shape")


def _passes(node: onnx.NodeProto, network: Network, width: int) -> bool:
    if node.op_type == "Reshape" and width:
        shape = network.weights.get(node.input[1])
        return shape is not None and int(shape[-1]) == width
    return node.op_type in _LINEAR or (node.op_type in _POOLS and not width)


def _takes(node: onnx.NodeProto, network: Network, *, last: bool) -> bool:
    if node.op_type not in (("LayerNormalization", "Gemm") if last else ("Conv",)):
        return False
    if node.op_type == "LayerNormalization" and attributes(node).get("axis", -1) != -1:
        return False
    own = all(name in network.weights for name in node.input[1:] if name)
    matrix = node.op_type != "LayerNormalization"
    return own and (not matrix or (len(network.readers(node.input[1])) == 1 and _flat(node, network)))


def _flat(node: onnx.NodeProto, network: Network) -> bool:
    """Tell whether the bias of a layer, if any, is one number for each channel."""
    return len(node.input) < 3 or not node.input[2] or network.weights[node.input[2]].ndim == 1
