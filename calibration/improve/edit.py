"""A network written anew with some of its weights multiplied; what shares a weight goes on sharing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.graph.network import Array, Draft, Network, rewired
from mmer.calibration.observation.ranges import Wide


@dataclass(slots=True)
class Edit:
    """What is to be changed, collected piece by piece."""

    network: Network
    matrices: dict[str, Wide] = field(default_factory=dict)
    """Factors by name of a weight, for everything that reads it."""
    vectors: dict[tuple[str, str], Wide] = field(default_factory=dict)
    """Factors by what a node makes and the weight that it reads; others that read it do not notice."""

    def matrix(self, name: str, factors: Wide) -> None:
        """Multiply a weight."""
        self.matrices[name] = self.matrices.get(name, np.ones(())) * factors

    def vector(self, node: onnx.NodeProto, name: str, factors: Wide) -> None:
        """Multiply a weight for a single node."""
        place = node.output[0], name
        self.vectors[place] = self.vectors.get(place, np.ones(())) * factors

    def finished(self) -> Network:
        """Return the network with all of it."""
        draft = Draft()
        for node in self.network.nodes:
            draft.nodes.append(rewired(node, self._names(node, draft)))
        return draft.rewritten(self.network)

    def _names(self, node: onnx.NodeProto, draft: Draft) -> Mapping[str, str]:
        names: dict[str, str] = {}
        for name in node.input:
            if name in self.matrices:
                names[name] = draft.weight(_scaled(name), self._product(name, self.matrices[name]))
            elif (node.output[0], name) in self.vectors:
                factors = self.vectors[node.output[0], name]
                names[name] = draft.weight(f"{node.output[0]}.{_scaled(name)}", self._product(name, factors))
        return names

    def _product(self, name: str, factors: Wide) -> Array:
        return np.asarray(self.network.weights[name] * factors, np.float32)


def _scaled(name: str) -> str:
    return f"{name}.scaled"
