"""ONNX Runtime on x86: activations asymmetric in U8, biases as integers, outputs of convolutions on levels too."""

from dataclasses import replace

from mmer.calibration.graph.sites import scales, sites
from mmer.calibration.recipe import Recipe
from mmer.calibration.weights.levels import UNSIGNED
from mmer.edge.backends import targets

ORT = Recipe(
    targets.ORT,
    "onnxruntime",
    UNSIGNED,
    sites,
    scales,
    integer_bias=True,
    rectifier="Max",  # ONNX Runtime would merge a ReLU with its Gemm, which then is none of its INT8 kernels
    centring=2.0,  # always: no more can come of taking off a mean
)

ORT7 = replace(ORT, target=targets.ORT7, weight_bits=7)
"""For processors that add pairs of products in 16 bits: 2 * 255 * 63 fits, 2 * 255 * 127 saturates without a word."""
