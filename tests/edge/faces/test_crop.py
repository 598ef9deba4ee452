import cv2
import numpy as np
import pytest

from mmer.edge.faces.crop import CropRule
from mmer.edge.media.stream import Frame

NOISE = np.random.default_rng(0).integers(0, 256, (270, 360, 3), np.uint8)
SYSTEMS = [CropRule(48, 2), CropRule(224, 33)]


def published(pixels: np.ndarray, box: tuple[float, ...], size: int, margin: int) -> np.ndarray:
    """facenet-pytorch 2.5 `extract_face` on a numpy picture, as written there."""
    margins = [margin * (box[2] - box[0]) / (size - margin), margin * (box[3] - box[1]) / (size - margin)]
    region = [
        int(max(box[0] - margins[0] / 2, 0)),
        int(max(box[1] - margins[1] / 2, 0)),
        int(min(box[2] + margins[0] / 2, pixels.shape[1])),
        int(min(box[3] + margins[1] / 2, pixels.shape[0])),
    ]
    cut = pixels[region[1] : region[3], region[0] : region[2]]
    return cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("rule", SYSTEMS)
@pytest.mark.parametrize("box", [(100.4, 60.8, 190.3, 175.9), (-20.0, -5.5, 80.0, 90.0), (300.0, 200.0, 390.2, 301.7)])
def test_crop_is_the_published_one(rule: CropRule, box: tuple[float, ...]):
    crop = rule.cut(Frame(1.5, NOISE), np.array(box))
    assert np.array_equal(crop.pixels, published(NOISE, box, rule.size, rule.margin))


def test_margin_is_measured_in_the_finished_picture():
    # 46 of the 48 pixels show the box: 92 wide, so 2 more on either side
    assert CropRule(48, 2).region(np.array([100.0, 60.0, 192.0, 152.0]), 360, 270) == (98, 58, 194, 154)


def test_crop_keeps_the_moment():
    assert CropRule().cut(Frame(1.5, NOISE), np.array([0.0, 0.0, 9.0, 9.0])).time_s == 1.5


@pytest.mark.parametrize("box", [(-90.0, -90.0, -10.0, -10.0), (400.0, 300.0, 480.0, 380.0), (10.2, 10.2, 10.4, 10.4)])
def test_a_box_without_a_pixel_in_the_frame_gives_the_nearest_one(box: tuple[float, ...]):
    left, top, right, bottom = CropRule(48, 2).region(np.array(box), 360, 270)
    assert (right - left, bottom - top) == (1, 1)
    assert NOISE[top:bottom, left:right].size == 3
