import numpy as np
import pytest

from mmer.calibration.fits import peak_fits, scale_fits, weight_fits


@pytest.mark.parametrize(
    ("peak", "fits"), [(0, True), (1, True), (3e4, True), (4e4, False), (7e4, False), (1e-4, True), (1e-5, False)]
)
def test_a_tensor_fits_with_room_for_twice_what_was_seen_and_not_below_the_last_full_digit(peak, fits):
    assert peak_fits(peak) == fits


@pytest.mark.parametrize(
    ("scale", "fits"), [(1, True), (3e4, True), (4e4, False), (1e6, False), (1e-3, True), (1e-6, False), (0, True)]
)
def test_a_weight_fits_when_it_neither_overflows_nor_vanishes(scale, fits):
    weight = np.linspace(-1, 1, 64, dtype="f4").reshape(8, 8)
    assert weight_fits(weight * np.float32(scale)) == fits


def test_a_few_weights_that_vanish_beside_others_do_no_harm():
    weight = np.ones((8, 8), "f4")
    weight[0] = 1e-9
    assert weight_fits(weight)


def test_a_mask_of_infinities_does_not_fit():
    assert not weight_fits(np.array([0, -np.inf], "f4"))
    assert not weight_fits(np.array([0, np.finfo("f4").min]))


def test_a_constant_without_dimensions_fits_or_not():
    assert weight_fits(np.float32(0.5).reshape(()))
    assert not weight_fits(np.float32(1e-9).reshape(()))


@pytest.mark.parametrize(
    ("scale", "fits"), [(0.5, True), (0.1, False), (2.0**-20, True), (2.0**-30, False), (1e5, False)]
)
def test_a_scale_fits_when_it_is_exact(scale, fits):
    assert scale_fits(np.float32(scale).reshape(())) == fits
