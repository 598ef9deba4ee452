import numpy as np
import pytest

from mmer.calibration.observation.histogram import BINS
from mmer.calibration.observation.ranges import Range
from mmer.calibration.observation.spread import Spread


def spread_of(*parts):
    made = Spread(parts[0].shape[1])
    for part in parts:
        made.count(part, part.min(axis=0).astype(float), part.max(axis=0).astype(float))
    return made


def plain(spread, rows):
    return spread.histogram(np.zeros(rows.shape[1]), Range(float(rows.min()), float(rows.max())))


@pytest.mark.parametrize("channels", [1, 8])
def test_a_range_that_grows_keeps_every_count_exact(channels):
    rng = np.random.default_rng(0)
    parts = [(rng.normal(0, 10.0**power, (200, channels))).astype("f4") for power in range(-4, 3)]
    rows = np.concatenate(parts)
    grown = plain(spread_of(*parts), rows)
    assert grown.counts.sum() == rows.size
    at_once = plain(spread_of(rows), rows)
    np.testing.assert_array_equal(grown.counts, at_once.counts)
    assert grown.exponent == at_once.exponent


def test_bins_of_one_channel_hold_what_lies_between_their_edges():
    rows = np.random.default_rng(1).normal(3, 2, (5000, 1)).astype("f4")
    found = plain(spread_of(*np.split(rows, 50)), rows)
    assert BINS // 4 <= len(found.counts) <= BINS // 2
    inside = np.histogram(rows, found.edges)[0]
    np.testing.assert_array_equal(found.counts, inside)


def test_channels_are_moved_by_their_means():
    rng = np.random.default_rng(2)
    means, sizes = np.linspace(-50, 50, 64), np.geomspace(0.01, 1, 64)
    rows = (rng.normal(0, 1, (4000, 64)) * sizes + means).astype("f4")
    distances = rows - rows.mean(axis=0, dtype=float)
    covered = Range(float(distances.min()), float(distances.max()))
    found = spread_of(*np.split(rows, 8)).histogram(rows.mean(axis=0, dtype=float), covered)
    assert found.counts.sum() == rows.size
    shares = np.array([0.0005, 0.05, 0.5, 0.95, 0.9995])
    np.testing.assert_allclose(found.quantiles(shares), np.quantile(distances, shares), atol=0.005)


def test_values_that_are_all_alike_are_counted():
    rows = np.zeros((7, 3), "f4")
    assert plain(spread_of(rows), rows).counts.sum() == 21
