"""TensorRT from 10.3: strongly typed, so the file itself says what is INT8, half and single precision.

Activations are symmetric in S8, zero points stand as INT8 zeros (an absent one would mean U8), and only what a layer
reads is on levels: TensorRT merges what follows a layer by itself, and pairs behind a Conv and before its ReLU would
keep it from doing so. Biases stay float. Rules and their sources: NVIDIA's documentation of explicit quantisation and
the defaults of Model-Optimizer 0.47.

Where nearly all of what a Gemm reads is one mean, that mean is taken off before the levels: the symmetric ones would be
spent on it. The subtraction is one more operation on the element that TensorRT quantises in the same kernel.
"""

from collections.abc import Mapping
from dataclasses import replace

import onnx

from mmer.calibration.fp16 import ELEMENTWISE, halved
from mmer.calibration.graph.network import Array, Network, attributes
from mmer.calibration.graph.opset import raised
from mmer.calibration.graph.shapes import Form, forms
from mmer.calibration.graph.sites import Scale, Site, residuals, scales, sites
from mmer.calibration.recipe import Peaks, Recipe
from mmer.calibration.weights.levels import HALF_SYMMETRIC
from mmer.edge.backends import targets

OPSET = 19
"""The first in which scales may be half precision."""

_FEW = 16
_PACKED = 8
"""Channels that are computed together."""


def worthwhile(network: Network) -> Mapping[str, Site]:
    """Return the sites that are not faster in half precision."""
    known = forms(network)
    return {output: site for output, site in sites(network).items() if _worthwhile(site, network, known)}


def inputs_only(network: Network, found: Mapping[str, Site]) -> Mapping[str, Scale]:
    """Put on levels what sites read, and what is added to a convolution: that lets the sum be a part of it."""
    usual = scales(network, found)
    placed = {site.input: replace(usual[site.input], fused=False) for site in found.values()}
    for total, branch in residuals(network, found).items():
        scale = placed.get(branch, usual.get(branch, Scale(branch, fused=False)))
        placed[branch] = replace(scale, fused=False, centred=False, joined=scale.joined | {total})
    return placed


def typed(network: Network, peaks: Peaks) -> onnx.ModelProto:
    """Return a quantised network with half precision wherever range allows."""
    return halved(Network.of(raised(network.model, OPSET)), ELEMENTWISE, peaks)


def _worthwhile(site: Site, network: Network, known: Mapping[str, Form]) -> bool:
    if not site.last:
        groups = attributes(network.producers[site.output]).get("group", 1)
        return _wide_enough(network.weights[site.weight], groups, first=network.maker(site.input) is None)
    form = known.get(site.input)
    return form is None or form.shape is None or form.shape[0] != 1  # a single row is a matrix times a vector


def _wide_enough(weight: Array, groups: int, *, first: bool) -> bool:
    """Tell whether a convolution has enough channels, or few ones of a kind that has INT8 kernels all the same."""
    made, given, *kernel = weight.shape
    if given == 1 and groups == made:
        return bool(made % _PACKED == 0 and min(kernel) > 2)
    if min(made, given) >= _FEW:
        return True
    square = len(kernel) > 1 and len(set(kernel)) == 1
    packed = made % _PACKED == 0 or given % _PACKED == 0
    return groups == 1 and square and packed and (first or bool(max(made, given) >= _FEW))


TENSORRT = Recipe(
    targets.TENSORRT,
    "tensorrt",
    HALF_SYMMETRIC,
    worthwhile,
    inputs_only,
    centring=0.5,  # a whole bit is won
    finish=typed,
)
