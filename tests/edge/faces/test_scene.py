from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mmer.edge.faces.scene import glance, is_cut, is_dark

Pixels = NDArray[np.uint8]


def test_a_black_frame_with_noise_is_dark():
    assert is_dark(np.random.default_rng(0).integers(0, 20, (90, 160, 3), np.uint8))


def test_a_dim_picture_is_not_dark(portrait: Pixels):
    assert not is_dark(portrait // 4)


def test_another_picture_is_a_cut(portrait: Pixels, room: Callable[..., Pixels]):
    assert is_cut(glance(portrait), glance(room((200, 180))))


def test_another_exposure_is_no_cut(portrait: Pixels):
    assert not is_cut(glance(portrait), glance(np.clip(portrait.astype(int) + 60, 0, 255).astype(np.uint8)))


def test_a_moving_head_is_no_cut(room: Callable[..., Pixels]):
    assert not is_cut(glance(room((200, 180))), glance(room((240, 180))))


def test_a_single_pixel_can_be_glanced_at():
    assert glance(np.full((1, 1, 3), 200, np.uint8)).shape == (32, 32)
