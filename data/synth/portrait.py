"""The portrait that every synthetic speaker is made from, retouched to a neutral face, and where its features lie.

All positions are in pixels of `portrait.jpg`; pictures in memory are `SCALE` times finer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from mmer.data.synth.arrays import Floats

SCALE = 2
WIDTH, HEIGHT = 320, 300
EYES = ((140.5, 100.5), (184.0, 103.0))
BROWS = (((126, 91), (135, 88.5), (143, 90), (151, 93)), ((174, 94), (182, 92.5), (190, 92), (201, 97)))
FOLDS = (((147, 123), (141, 128), (136, 134)), ((176, 123), (183, 131), (188, 137), (188, 144)))
"""From the wings of the nose past the mouth: the portrait smiles."""
FROWN = (((158, 84), (159, 94)), ((166, 84), (165, 95)))
CENTRE = (163.0, 128.0)


@dataclass(frozen=True, slots=True)
class Portrait:
    """The picture and the regions that speakers recolour."""

    pixels: Floats
    """`[H, W, 3]` RGB, 0-255."""
    matte: Floats
    """`[H, W]`, 1 on the person and 0 on the background; so the regions below."""
    skin: Floats
    hair: Floats
    cloth: Floats


@cache
def portrait() -> Portrait:
    """Read and prepare the portrait, once."""
    pixels = _soften_folds(_enlarged("portrait.jpg")) * (1 - 0.4 * lines(BROWS, 2.2)[..., None])
    matte = _enlarged("matte.jpg")[..., 0] / np.float32(255)
    skin, y = _skin(matte), offsets((0, 0))[1]
    hair = matte * (1 - skin) * np.clip((150 - y) / 10, 0, 1)
    orange = (pixels[..., 0] - pixels[..., 2] > 70) & (y > 190)
    return Portrait(pixels, matte, skin, hair, _blurred(orange, 2.0))


def offsets(centre: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return x `[1, W]` and y `[H, 1]` of the pixels, from a centre."""
    x, y = (np.arange(n * SCALE, dtype=np.float32) / np.float32(SCALE) for n in (WIDTH, HEIGHT))
    return x[None, :] - centre[0], y[:, None] - centre[1]


def bump(centre: tuple[float, float], spread: tuple[float, float]) -> Floats:
    """Return a Gaussian hill of height 1, `[H, W]`."""
    x, y = offsets(centre)
    return np.asarray(np.exp(-0.5 * ((x / spread[0]) ** 2 + (y / spread[1]) ** 2)), np.float32)


def lines(paths: Sequence[Sequence[tuple[float, float]]], width: float) -> Floats:
    """Return soft strokes along the paths, `[H, W]` in 0-1."""
    canvas = np.zeros((HEIGHT * SCALE, WIDTH * SCALE), np.uint8)
    for path in paths:
        points = np.round(np.asarray(path, np.float32) * SCALE).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, round(width * SCALE), cv2.LINE_AA)
    return np.asarray(_blurred(canvas, width * 0.5) / 255, np.float32)


def _enlarged(name: str) -> Floats:
    """Return a picture of this folder, `[H, W, 3]` RGB."""
    data = np.frombuffer(files("mmer.data.synth").joinpath(name).read_bytes(), np.uint8)
    image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    size = (WIDTH * SCALE, HEIGHT * SCALE)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _blurred(image: NDArray[np.generic], spread: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), spread * SCALE), np.float32)


def _soften_folds(pixels: Floats) -> Floats:
    """Take out most of the smile's folds."""
    mask = (lines(FOLDS, 5.0) > 0.3).astype(np.uint8)
    filled = cv2.inpaint(pixels.astype(np.uint8), mask, 4.0, cv2.INPAINT_TELEA).astype(np.float32)
    share = 0.8 * _blurred(mask, 1.2)[..., None]
    return pixels * (1 - share) + filled * share


def _skin(matte: Floats) -> Floats:
    """Return face and neck without eyes and teeth."""
    area = np.zeros(matte.shape, np.uint8)
    outline = [(124, 84), (170, 82), (204, 92), (206, 130), (198, 158), (190, 188), (124, 184), (121, 130)]
    cv2.fillPoly(area, [np.asarray(outline, np.int32) * SCALE], 1)
    left, right = (1 - 0.9 * bump(eye, (7.0, 3.5)) for eye in EYES)
    skin: Floats = _blurred(area, 2.5) * matte * left * right * (1 - bump((162.0, 144.5), (13.0, 3.0)))
    return skin
