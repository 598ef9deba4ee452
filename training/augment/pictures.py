"""The same face, mirrored, lit otherwise, moved."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mmer.training.augment.limits import limited

Crops = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PictureChanges:
    """How far the pictures of a clip may stray."""

    mirror: float = 0.5
    """How probable it is that a clip's pictures are mirrored, all of them."""
    brightness: float = 0.15
    """As a share of the whole range."""
    contrast: float = 0.2
    shift_px: int = 3
    """The face moves within its crops, by the same in all of them; the edge is repeated."""

    def __post_init__(self) -> None:
        limited("pictures", asdict(self), _MOST)


_MOST: Final[Mapping[str, float]] = {"mirror": 1.0, "brightness": 1.0, "contrast": 1.0, "shift_px": 48}

SAME_PICTURES = PictureChanges(0.0, 0.0, 0.0, 0)


def varied(pixels: Crops, limits: PictureChanges, rng: np.random.Generator) -> Crops:
    """Return other crops `[N, S, S, 3]` of the same face; the change is one for the whole clip."""
    if rng.random() < limits.mirror:
        pixels = pixels[:, :, ::-1]
    contrast, brightness = 1 + limits.contrast * rng.uniform(-1, 1), 255 * limits.brightness * rng.uniform(-1, 1)
    levels = np.clip((np.arange(256) - 127.5) * contrast + 127.5 + brightness, 0, 255).astype(np.uint8)
    rows, columns = (_shifted(pixels.shape[1], limits.shift_px, rng) for _ in range(2))
    other: Crops = levels[pixels[:, rows][:, :, columns]]
    return other


def chosen(count: int, most: int, rng: np.random.Generator) -> Sequence[int]:
    """Return at most `most` indices of `count` crops, in order."""
    return range(count) if count <= most else sorted(rng.choice(count, most, replace=False).tolist())


def _shifted(size: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.clip(np.arange(size) + int(rng.integers(-most, most + 1)), 0, size - 1)
