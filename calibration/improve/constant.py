"""Weights that the graph turns round each time it runs, turned round once.

Exporters leave a `Transpose` in front of every use of a weight that several layers share, as in ALBERT; behind it
nobody would take the weight for one.
"""

import numpy as np
import onnx

from mmer.calibration.network import Draft, Network, attributes, rewired


def turned(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that computes the same, without transpositions of weights; what is shared stays so."""
    network, draft = Network.of(model), Draft()
    names: dict[str, str] = {}
    for node in network.nodes:
        weight = network.weights.get(node.input[0]) if node.op_type == "Transpose" else None
        if weight is None or node.output[0] in network.outputs:
            draft.nodes.append(rewired(node, names))
        else:
            order = attributes(node).get("perm", list(range(weight.ndim))[::-1])
            name = ".".join(map(str, (node.input[0], "turned", *order)))
            names[node.output[0]] = draft.weight(name, np.transpose(weight, order))
    return draft.finished(network) if names else model
