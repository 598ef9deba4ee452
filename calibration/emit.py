"""Writes a graph with QuantizeLinear and DequantizeLinear around its sites, in the way that a recipe says.

The graph is written here and not by `onnxruntime.quantization`: the ranges are known already, and that package
collects every activation of every sample in memory, quantises softmax outputs and breaks shared weights.

What rounding a weight does to the mean input is taken back in the bias, and what a Gemm reads is centred. Of CAFES at
its published size with random weights and 7 bits, on faces, that takes the centred cosine of the video sequence from
0.83 to 0.996, and of ALBERT from 0.87 to 0.993.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

import numpy as np
import onnx

from mmer.calibration.graph.network import Array, Draft, Network, attributes, rewired
from mmer.calibration.graph.shapes import fixed
from mmer.calibration.graph.sites import Scale, Site, chain
from mmer.calibration.observation.observed import Observed
from mmer.calibration.recipe import Peaks, Recipe
from mmer.calibration.weights.levels import Affine, Channels, response
from mmer.calibration.weights.rounding import Levels

_LARGEST = 2.0**30
_ROOM = 2.0
"""Times the bias of a layer that its integers must hold: what is taken back from a weight comes on top."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """A prepared network, what was seen of its tensors, and its weights as integers of 7 or 8 bits."""

    network: Network
    observed: Observed
    levels: Mapping[int, Levels]
    """By bits."""
    peaks: Peaks
    """Of what may be in half precision; empty where no target wants that."""


def emitted(basis: Basis, sites: Mapping[str, Site], recipe: Recipe) -> bytes:
    """Return a prepared network with some of its sites quantised."""
    writer = _Writer(basis, recipe, sites, placed(basis, sites, recipe), fixed(basis.network))
    for value in basis.network.model.graph.input:
        writer.quantise(value.name)
    for node in basis.network.nodes:
        writer.write(node)
    model = writer.draft.finished(basis.network)
    if recipe.finish is not None:
        model = recipe.finish(Network.of(model), {**basis.peaks, **writer.peaks})
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def placed(basis: Basis, sites: Mapping[str, Site], recipe: Recipe) -> Mapping[str, Scale]:
    """Return the tensors that are put on levels; centred are those alone for which a recipe finds that worth it."""

    def worth(scale: Scale) -> bool:
        plain, centred = (basis.observed.range(scale.root, centred=c).peak for c in (False, True))
        return centred <= recipe.centring * plain

    found = recipe.scales(basis.network, sites)
    return {name: replace(scale, centred=scale.centred and worth(scale)) for name, scale in found.items()}


@dataclass(frozen=True, slots=True)
class _Writer:
    basis: Basis
    recipe: Recipe
    sites: Mapping[str, Site]
    scales: Mapping[str, Scale]
    fixed: Set[str]
    """Tensors of which every size is known."""
    draft: Draft = field(default_factory=Draft)
    products: set[str] = field(default_factory=set)
    """What quantised Gemms made."""
    peaks: dict[str, float] = field(default_factory=dict)
    """The largest magnitudes of the tensors that are new."""

    def write(self, node: onnx.NodeProto) -> None:
        if node.output[0] in self.sites:
            self._multiply(node, self.sites[node.output[0]])
        elif node.op_type == "Relu" and node.input[0] in self.products and self.recipe.rectifier == "Max":
            nothing = self.draft.weight("nothing", np.zeros((), np.float32))
            self.draft.add("Max", (node.input[0], nothing), node.output[0])
        else:
            self.draft.nodes.append(rewired(node, {n: _levelled(n) for n in node.input if self._reads(node, n)}))
        for name in node.output:
            self.quantise(name)

    def _multiply(self, node: onnx.NodeProto, site: Site) -> None:
        channels = self._channels(site)
        operands = (_levelled(site.input), self._weight(site, channels), self._bias(site, channels))
        self.draft.add(node.op_type, operands, node.output[0], **attributes(node))
        if site.last:
            self.products.add(site.output)

    def _channels(self, site: Site) -> Channels:
        """Return a weight whose scales leave room for the biases of all layers that share it.

        A channel that hardly multiplies anything would have a scale on which 32 bits cannot hold its bias, and runtimes
        turn a float bias into such integers by themselves.
        """
        found = self.basis.levels[self.recipe.weight_bits][site.weight, site.axis]
        for other in self.sites.values():
            if (other.weight, other.axis) == (site.weight, site.axis) and other.bias is not None:
                bias = np.abs(self.basis.network.weights[other.bias])
                found = found.widened(_ROOM / _LARGEST * bias / self._affine(other.input).scale)
        return found.halved() if self.recipe.grid.half else found

    def _reads(self, node: onnx.NodeProto, tensor: str) -> bool:
        """Tell whether a node that is no site reads the levels of a tensor."""
        scale = self.scales.get(tensor)
        return scale is not None and (scale.fused or node.output[0] in scale.joined)

    def quantise(self, tensor: str) -> None:
        """Write what puts a tensor on its levels, if it has any."""
        if tensor not in self.scales:
            return
        root, values = self.scales[tensor].root, tensor
        affine = self._affine(tensor)
        if self.scales[tensor].centred:
            seen = self.basis.observed.seen[tensor]
            mean = self.draft.weight(f"{tensor}.mean", seen.mean.astype(np.float32))
            values = self.draft.add("Sub", (tensor, mean), f"{tensor}.centred")
            self.peaks[values] = seen.range(centred=True).peak
        if self._moves(tensor):
            values = self._held(values, tensor, affine)
        scale = self.draft.weight(f"{root}.scale", np.array(affine.scale))
        zero = self.draft.weight(f"{root}.zero", np.array(affine.zero))
        levels = self.draft.add("QuantizeLinear", (values, scale, zero), f"{tensor}.levels")
        self.draft.add("DequantizeLinear", (levels, scale, zero), _levelled(tensor))
        self.peaks[_levelled(tensor)] = affine.range.peak

    def _moves(self, tensor: str) -> bool:
        """Tell whether OpenVINO 2026.4 would move what stands before levels, and then compute something else.

        It merges levels with a Concat, a Reduce with the means that are taken off behind it, and two layers of one size
        with the ReLU and the means between them.
        """
        made = self.basis.network.maker(chain(tensor, self.basis.network)[-1]) or ""
        merged = made.startswith("Reduce") or (made == "Relu" and tensor in self.fixed)
        return made == "Concat" or (self.scales[tensor].centred and merged)

    def _held(self, values: str, tensor: str, affine: Affine) -> str:
        """Write a Max that changes nothing, for no level is lower."""
        self.peaks[f"{tensor}.held"] = self.peaks.get(values, self.basis.peaks.get(tensor, affine.range.peak))
        least = self.draft.weight(f"{tensor}.least", np.array(affine.range.low, np.float32))
        return self.draft.add("Max", (values, least), f"{tensor}.held")

    def _affine(self, tensor: str) -> Affine:
        scale = self.scales[tensor]
        return Affine.of(self.basis.observed.range(scale.root, centred=scale.centred), self.recipe.grid)

    def _weight(self, site: Site, channels: Channels) -> str:
        """Return the weight as it is read; layers that share it go on doing so."""
        output = f"{site.weight}.{site.axis}.levelled"
        if f"{output}.values" not in self.draft.weights:
            self._restored(output, channels.values, channels.scale, channels.axis)
        return output

    def _bias(self, site: Site, channels: Channels) -> str:
        """Return the bias with what the mean input makes of the weight, or of the error in it."""
        weight, means = self.basis.network.weights[site.weight], self.basis.observed.seen[site.input].mean
        bias = response(weight, site.axis, means)
        if not self.scales[site.input].centred:
            bias = bias - response(channels.restored(), site.axis, means)
        if site.bias is not None:
            bias = bias + self.basis.network.weights[site.bias]
        if not self.recipe.integer_bias:
            return self.draft.weight(f"{site.output}.bias", bias.astype(np.float32))
        scale = (channels.scale * self._affine(site.input).scale).astype(np.float32)
        values = np.clip(np.rint(bias / scale.astype(np.float64)), -_LARGEST, _LARGEST).astype(np.int32)
        return self._restored(f"{site.output}.bias", values, scale, 0)

    def _restored(self, output: str, values: Array, scale: Array, axis: int) -> str:
        operands = (
            self.draft.weight(f"{output}.values", values),
            self.draft.weight(f"{output}.scale", scale),
            self.draft.weight(f"{output}.zero", np.zeros(scale.shape, values.dtype)),
        )
        return self.draft.add("DequantizeLinear", operands, output, axis=axis)


def _levelled(tensor: str) -> str:
    """Return the name of a tensor's values on their levels."""
    return f"{tensor}.levelled"
