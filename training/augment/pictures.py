"""The same face, mirrored, lit otherwise, moved, seen by a worse camera."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mmer.training.augment.limits import limited

Crops = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PictureChanges:
    """How far the pictures of a clip may stray; every change is one for the whole clip, noise apart."""

    mirror: float = 0.5
    """How probable it is that a clip's pictures are mirrored, all of them."""
    brightness: float = 0.15
    """As a share of the whole range."""
    contrast: float = 0.2
    shift_px: int = 3
    """The face moves within its crops, by the same in all of them; the edge is repeated."""
    turn_deg: float = 0.0
    scale: float = 0.0
    """As a share of the size; height and width are drawn apart."""
    gamma: float = 0.0
    """The exponent lies between 1 / (1 + gamma) and 1 + gamma."""
    grey: float = 0.0
    """How probable it is that the colours are lost."""
    coarse: float = 0.0
    """Share of the resolution that is lost."""
    blur_px: float = 0.0
    """Deviation of a Gaussian."""
    noise: float = 0.0
    """Deviation of white noise, the same in all colours, as a share of the whole range."""
    hidden: float = 0.0
    """Share of height and of width that a rectangle of noise hides."""

    def __post_init__(self) -> None:
        limited("pictures", asdict(self), _MOST)


_MOST: Final[Mapping[str, float]] = {
    "mirror": 1.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "shift_px": 48,
    "turn_deg": 180.0,
    "scale": 0.9,
    "gamma": 10.0,
    "grey": 1.0,
    "coarse": 0.95,
    "blur_px": 48.0,
    "noise": 1.0,
    "hidden": 1.0,
}

SAME_PICTURES = PictureChanges(0.0, 0.0, 0.0, 0)


def varied(pixels: Crops, limits: PictureChanges, rng: np.random.Generator) -> Crops:
    """Return other crops `[N, S, S, 3]` of the same face."""
    if rng.random() < limits.mirror:
        pixels = pixels[:, :, ::-1]
    contrast, brightness = 1 + limits.contrast * rng.uniform(-1, 1), 255 * limits.brightness * rng.uniform(-1, 1)
    levels = np.clip((np.arange(256) - 127.5) * contrast + 127.5 + brightness, 0, 255).astype(np.uint8)
    rows, columns = (_shifted(pixels.shape[1], limits.shift_px, rng) for _ in range(2))
    other: Crops = levels[pixels[:, rows][:, :, columns]]
    if not len(other):
        return other
    for change, names in _FURTHER:
        if any(values := [getattr(limits, name) for name in names]):
            other = change(other, *values, rng)
    return other


def chosen(count: int, most: int, rng: np.random.Generator) -> Sequence[int]:
    """Return at most `most` indices of `count` crops, in order."""
    return range(count) if count <= most else sorted(rng.choice(count, most, replace=False).tolist())


def _shifted(size: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.clip(np.arange(size) + int(rng.integers(-most, most + 1)), 0, size - 1)


def _turned(pixels: Crops, most_deg: float, most_scale: float, rng: np.random.Generator) -> Crops:
    turn = np.deg2rad(most_deg * rng.uniform(-1, 1))
    wide, high = 1 + most_scale * rng.uniform(-1, 1, 2)
    across = np.array([[wide * np.cos(turn), -high * np.sin(turn)], [wide * np.sin(turn), high * np.cos(turn)]])
    middle = np.full(2, (pixels.shape[1] - 1) / 2)
    way = np.column_stack([across, middle - across @ middle])
    size = pixels.shape[2], pixels.shape[1]
    return np.stack([cv2.warpAffine(one, way, size, borderMode=cv2.BORDER_REPLICATE) for one in pixels])


def _lit(pixels: Crops, most: float, rng: np.random.Generator) -> Crops:
    exponent = (1 + most) ** rng.uniform(-1, 1)
    levels = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    other: Crops = levels[pixels]
    return other


def _greyed(pixels: Crops, probability: float, rng: np.random.Generator) -> Crops:
    if rng.random() >= probability:
        return pixels
    return np.stack([cv2.cvtColor(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for one in pixels])


def _coarsened(pixels: Crops, most: float, rng: np.random.Generator) -> Crops:
    full = pixels.shape[1]
    less = max(1, round(full * (1 - most * rng.random())))
    small = [cv2.resize(one, (less, less), interpolation=cv2.INTER_AREA) for one in pixels]
    return np.stack([cv2.resize(one, (full, full), interpolation=cv2.INTER_LINEAR) for one in small])


def _blurred(pixels: Crops, most_px: float, rng: np.random.Generator) -> Crops:
    deviation = most_px * max(rng.random(), 1e-3)  # OpenCV takes 0 for a deviation of its own choice
    return np.stack([cv2.GaussianBlur(one, (0, 0), deviation) for one in pixels])


def _noisy(pixels: Crops, most: float, rng: np.random.Generator) -> Crops:
    noise = rng.standard_normal((*pixels.shape[:3], 1), np.float32) * np.float32(255 * most * rng.random())
    other: Crops = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return other


def _hidden(pixels: Crops, most: float, rng: np.random.Generator) -> Crops:
    size = pixels.shape[1]
    high, wide = (round(size * most * rng.random()) for _ in range(2))
    top, left = int(rng.integers(size - high + 1)), int(rng.integers(size - wide + 1))
    other: Crops = pixels.copy()
    other[:, top : top + high, left : left + wide] = rng.integers(256, size=(high, wide, 1), dtype=np.uint8)
    return other


_FURTHER: Final[Sequence[tuple[Callable[..., Crops], Sequence[str]]]] = (
    (_turned, ("turn_deg", "scale")),
    (_lit, ("gamma",)),
    (_greyed, ("grey",)),
    (_coarsened, ("coarse",)),
    (_blurred, ("blur_px",)),
    (_noisy, ("noise",)),
    (_hidden, ("hidden",)),
)
"""In this order, those whose limits are not all 0: the others draw nothing."""
