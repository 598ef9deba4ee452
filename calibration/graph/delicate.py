"""Arithmetic that is a part of something delicate: of a norm, a softmax or a GELU that is written out."""

from collections.abc import Set

import onnx

from mmer.calibration.graph.network import Network

ARITHMETIC = frozenset({"Add", "Clip", "Max", "Min", "Mul", "Sub"})


def preparatory(network: Network, robust: Set[str]) -> Set[str]:
    """Return what arithmetic makes for operators alone that are not robust, directly or through more arithmetic."""
    found: set[str] = set()
    for node in reversed(network.nodes):
        readers = network.readers(node.output[0])
        if node.op_type in ARITHMETIC and readers and all(_delicate(reader, robust, found) for reader in readers):
            found.add(node.output[0])
    return found - network.outputs


def _delicate(node: onnx.NodeProto, robust: Set[str], found: Set[str]) -> bool:
    return node.op_type not in robust or node.output[0] in found
