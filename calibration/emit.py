"""Writes a graph with QuantizeLinear and DequantizeLinear around its sites, for ONNX Runtime on a CPU.

The graph is written here and not by `onnxruntime.quantization`: the ranges are known already, and that package
collects every activation of every sample in memory, quantises softmax outputs and breaks shared weights.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import numpy as np
import onnx

from mmer.calibration.network import Draft, Network, attributes, rewired
from mmer.calibration.ranges import Affine, Channels, Range
from mmer.calibration.recipe import Recipe
from mmer.calibration.sites import Scale, Site, scales, sites

_BIAS_LIMIT = 2.0**30


def needed(network: Network) -> Set[str]:
    """Return the tensors whose ranges `emitted` asks for."""
    return {scale.root for scale in scales(network, sites(network)).values()}


def emitted(network: Network, ranges: Mapping[str, Range], recipe: Recipe) -> bytes:
    """Return a prepared network with its sites quantised."""
    found = sites(network)
    writer = _Writer(network, recipe, scales(network, found), ranges)
    for value in network.model.graph.input:
        writer.quantise(value.name)
    for node in network.nodes:
        writer.write(node, found.get(node.output[0]))
    content: bytes = writer.draft.finished(network).SerializeToString(deterministic=True)
    return content


@dataclass(slots=True)
class _Writer:
    network: Network
    recipe: Recipe
    scales: Mapping[str, Scale]
    ranges: Mapping[str, Range]
    draft: Draft = field(default_factory=Draft)

    def write(self, node: onnx.NodeProto, site: Site | None) -> None:
        fused = {name: _levelled(name) for name in node.input if name in self.scales and self.scales[name].fused}
        if site is None:
            self.draft.nodes.append(rewired(node, fused))
        else:
            operands = (_levelled(site.input), self._weight(site), *self._bias(site))
            self.draft.add(node.op_type, operands, node.output[0], **attributes(node))
        for name in node.output:
            self.quantise(name)

    def quantise(self, tensor: str) -> None:
        """Write the pair of nodes behind a tensor that has a scale."""
        if tensor not in self.scales:
            return
        root = self.scales[tensor].root
        affine = self._affine(tensor)
        scale = self.draft.weight(f"{root}.scale", np.array(affine.scale))
        zero = self.draft.weight(f"{root}.zero", np.array(affine.zero))
        levels = self.draft.add("QuantizeLinear", (tensor, scale, zero), f"{tensor}.levels")
        self.draft.add("DequantizeLinear", (levels, scale, zero), _levelled(tensor))

    def _affine(self, tensor: str) -> Affine:
        return Affine.of(self.ranges[self.scales[tensor].root])

    def _channels(self, site: Site) -> Channels:
        return Channels.of(self.network.weights[site.weight], site.axis, self.recipe.weight_bits)

    def _weight(self, site: Site) -> str:
        """Return the weight as it is read; layers that share it go on doing so."""
        output = f"{site.weight}.{site.axis}.levelled"
        if f"{output}.values" not in self.draft.weights:
            channels = self._channels(site)
            self._dequantised(output, channels.values, channels.scale, channels.axis)
        return output

    def _bias(self, site: Site) -> tuple[str, ...]:
        if site.bias is None:
            return ()
        scale = self._channels(site).scale.astype(np.float64) * float(self._affine(site.input).scale)
        values = np.clip(np.rint(self.network.weights[site.bias] / scale), -_BIAS_LIMIT, _BIAS_LIMIT)
        return (self._dequantised(f"{site.output}.bias", values.astype(np.int32), scale.astype(np.float32), 0),)

    def _dequantised(self, output: str, values: np.ndarray, scale: np.ndarray, axis: int) -> str:  # type: ignore[type-arg]
        operands = (
            self.draft.weight(f"{output}.values", values),
            self.draft.weight(f"{output}.scale", scale),
            self.draft.weight(f"{output}.zero", np.zeros(scale.shape, values.dtype)),
        )
        return self.draft.add("DequantizeLinear", operands, output, axis=axis)


def _levelled(tensor: str) -> str:
    """Return the name of a tensor's values on their levels."""
    return f"{tensor}.levelled"
