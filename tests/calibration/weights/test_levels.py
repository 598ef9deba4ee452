import numpy as np
import pytest

from mmer.calibration.observation.ranges import Range
from mmer.calibration.weights.levels import HALF_SYMMETRIC, SIGNED, Affine, Channels, response
from mmer.edge.backends.ort import OrtSession


@pytest.mark.parametrize("seen", [Range(-3, 5), Range(0, 7), Range(2, 9), Range(-4, -1)])
def test_zero_stands_exactly_on_a_level(seen):
    affine = Affine.of(seen)
    levels = (np.arange(256) - int(affine.zero)) * float(affine.scale)
    assert 0 in levels
    assert levels.min() <= min(seen.low, 0) + float(affine.scale)
    assert levels.max() >= max(seen.high, 0) - float(affine.scale)


@pytest.mark.parametrize("seen", [Range(-3, 5), Range(0, 7), Range(2, 9), Range(-4, -1)])
def test_signed_levels_are_the_unsigned_ones_moved(seen):
    unsigned, signed = Affine.of(seen), Affine.of(seen, SIGNED)
    assert (signed.scale, int(signed.zero)) == (unsigned.scale, int(unsigned.zero) - 128)
    assert signed.zero.dtype == np.int8


@pytest.mark.parametrize("seen", [Range(-3, 5), Range(0, 7), Range(-0.1, 0)])
def test_symmetric_levels_cover_the_largest_magnitude_about_an_int8_zero(seen):
    affine = Affine.of(seen, HALF_SYMMETRIC)
    assert (affine.zero, affine.zero.dtype) == (0, np.int8)
    assert affine.range.high == pytest.approx(seen.peak, rel=1e-3)
    assert np.float16(affine.scale) == affine.scale


def test_a_scale_that_half_precision_does_not_hold_stays_as_it_is():
    affine = Affine.of(Range(-1e-4, 0), HALF_SYMMETRIC)
    assert affine.scale == np.float32(1e-4 / 127)


def test_halving_the_scales_of_a_weight_leaves_its_integers():
    rng = np.random.default_rng(0)
    channels = Channels.of(rng.normal(0, 1, (8, 16)).astype("f4"), 0, 8)
    half = channels.halved()
    assert (half.values == channels.values).all()
    assert (half.scale.astype("f2") == half.scale).all()
    assert np.abs(half.scale / channels.scale - 1).max() < 2**-11


def test_what_is_never_negative_has_its_zero_at_the_lowest_level():
    """ONNX Runtime takes a ReLU into the convolution only then."""
    assert Affine.of(Range(0, 7)).zero == 0


def test_a_tensor_that_is_always_zero_can_be_quantised():
    assert Affine.of(Range(0, 0)).scale == 1


def test_every_channel_is_rounded_by_a_scale_of_its_own():
    rng = np.random.default_rng(0)
    weight = (rng.normal(0, 1, (4, 3, 5, 5)) * np.array([1e-6, 1, 1e3, 0]).reshape(4, 1, 1, 1)).astype("f4")
    channels = Channels.of(weight, 0, 7)
    assert np.abs(channels.values.astype(int)).max() == 63
    errors = np.abs(channels.restored() - weight).max(axis=(1, 2, 3))
    assert (errors <= 0.51 * channels.scale).all()


@pytest.mark.parametrize("groups", [1, 2])
def test_the_response_to_a_constant_input_is_that_of_a_convolution(build, groups):
    builder = build()
    weight = builder.weight(6, 4 // groups, 3)
    builder.node("Conv", "x", weight, output="y", kernel_shape=[3], group=groups)
    session = OrtSession.open(builder.model({"x": [1, 4, 9]}, {"y": [1, 6, 7]}).SerializeToString())
    means = builder.rng.normal(0, 1, 4)
    made = session.run({"x": np.repeat(means[None, :, None], 9, axis=2).astype("f4")})["y"]
    np.testing.assert_allclose(response(builder.weights[weight], 0, means), made[0, :, 0], atol=1e-5)


def test_a_range_below_what_a_scale_can_be_is_nothing():
    assert Affine.of(Range(0, 1e-44)) == Affine(np.float32(1), np.uint8(0))
