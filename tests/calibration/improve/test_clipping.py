import numpy as np
import pytest

from mmer.calibration.improve.clipping import peaks
from mmer.calibration.weights.levels import Channels


def weight(seed=0):
    return np.random.default_rng(seed).standard_t(3, (24, 96)).astype("f4")


@pytest.mark.parametrize("bits", [4, 7, 8])
def test_no_channel_is_rounded_worse_than_over_its_whole_range(bits):
    given, moments = weight(), np.random.default_rng(1).uniform(0.1, 2, 96)
    errors = [
        (((channels.restored() - given) ** 2) * moments).sum(axis=1)
        for channels in (Channels.of(given, 0, bits, peaks(given, 0, bits, moments)), Channels.of(given, 0, bits))
    ]
    assert (errors[0] <= errors[1] * (1 + 1e-6)).all()


def test_few_bits_cut_off_a_large_number_that_hardly_counts():
    given, moments = weight(), np.ones(96)
    given[5, 7], moments[7] = 20 * np.abs(given[5]).max(), 1e-6
    assert peaks(given, 0, 4, moments)[5] < 0.6 * abs(given[5, 7])


def test_a_large_number_that_counts_is_kept():
    given, moments = weight(), np.ones(96)
    given[5, 7], moments[7] = 20 * np.abs(given[5]).max(), 1e6
    assert peaks(given, 0, 8, moments)[5] > 0.99 * abs(given[5, 7])


def test_a_channel_of_nothing_has_levels_too():
    given = weight()
    given[5] = 0
    found = Channels.of(given, 0, 8, peaks(given, 0, 8, np.ones(96)))
    assert (found.values[5] == 0).all()
    assert found.scale[5] > 0


def test_columns_are_channels_where_the_axis_says_so():
    given, moments = weight(), np.ones(96)
    np.testing.assert_array_equal(peaks(given.T, 1, 4, moments), peaks(given, 0, 4, moments))
