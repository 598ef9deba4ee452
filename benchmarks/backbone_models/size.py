"""How large a backbone and what it is given are: as published unless something else is said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a backbone is built, and of what it sees, hears and reads."""

    layers: int | None = None
    """Of transformers, or of each stage of a CNN; `None` for all."""
    width: int = 768
    """Of transformers; what is in between is four times as wide."""
    heads: int = 12
    stages: tuple[tuple[int, int], ...] = ((1, 48), (2, 48), (4, 96), (14, 192), (1, 1280))
    """Blocks and widths of RepVGG-A0 (Ding et al. 2021, arXiv:2101.03697, table 2): a = 0.75, b = 2.5."""
    heard: int = 512
    """Width of the convolutions of wav2vec2."""
    side: int = 224
    longest_s: float = 4.0
    """Longest sound; wav2vec2's attention is over 200 steps then."""
    tokens: int = 128
    vocabulary: int = 30_522
    """Of BERT."""

    @property
    def words(self) -> int:
        """What ALBERT knows, and BERT too."""
        return min(30_000, self.vocabulary)

    def of(self, published: int) -> int:
        """Return the number of layers to build."""
        return published if self.layers is None else min(published, self.layers)


SMALL = Size(
    layers=4,
    width=128,
    heads=4,
    stages=((1, 16), (2, 32), (2, 32), (2, 64), (1, 64)),
    heard=64,
    side=96,
    longest_s=1.0,
    tokens=32,
    vocabulary=2000,
)
"""For comparisons that build, calibrate and run every backbone many times."""
