import cv2
import numpy as np

from mmer.edge.faces.resize import level, patches, resize

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


def test_a_smaller_picture_holds_the_means_of_the_areas():
    means = NOISE.reshape(15, 4, 20, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize(NOISE, 20, 15) - means).max() <= 0.5


def test_resizing_is_that_of_opencv_by_area():
    assert np.array_equal(resize(NOISE, 33, 21), cv2.resize(NOISE, (33, 21), interpolation=cv2.INTER_AREA))


def test_a_level_far_below_is_averaged_so_that_no_pixel_is_skipped():
    assert np.array_equal(level(NOISE, 20, 15), resize(NOISE, 20, 15))


def test_a_level_just_below_is_interpolated():
    assert np.array_equal(level(NOISE, 57, 43), cv2.resize(NOISE, (57, 43), interpolation=cv2.INTER_LINEAR))


def test_a_patch_of_its_own_size_is_a_copy():
    assert np.array_equal(patches(NOISE, np.array([[8, 4, 32, 28]], np.float32), 24)[0], NOISE[4:28, 8:32])


def test_a_patch_is_black_where_it_leaves_the_frame():
    patch = patches(NOISE, np.array([[-12, -6, 12, 18]], np.float32), 24)[0]
    assert not patch[:6].any()
    assert not patch[:, :12].any()
    assert np.array_equal(patch[6:, 12:], NOISE[:18, :12])


def test_a_patch_wholly_outside_is_black():
    assert not patches(NOISE, np.array([[200, 200, 224, 224], [-50, 0, -26, 24]], np.float32), 24).any()
