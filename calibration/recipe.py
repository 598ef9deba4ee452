"""Ways of quantising, as data."""

from collections.abc import Sequence
from dataclasses import dataclass

_EXACT = {"avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Asymmetric U8 activations and symmetric S8 weights per channel, for ONNX Runtime."""

    name: str
    """Under which the files stand in the manifest."""
    weight_bits: int


EIGHT = Recipe("int8.ort", 8)
SEVEN = Recipe("int8.ort7", 7)
"""For processors that add pairs of products in 16 bits: 2 * 255 * 63 fits, 2 * 255 * 127 saturates without a word."""


def recipe_for(features: Sequence[str]) -> Recipe:
    """Return the recipe for a processor with these of `doctor.cpu.FEATURES`, the safe one for none."""
    return EIGHT if _EXACT.intersection(features) else SEVEN
