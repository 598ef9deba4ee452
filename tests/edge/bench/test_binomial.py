"""The lower bound of a share is exact."""

import json
import math

import pytest

from mmer.edge.bench.binomial import Bound, lower_bound

CASES = [(0, 1), (1, 1), (1, 2), (5, 9), (59, 59), (192, 192), (1, 400), (997, 1000), (600, 1000), (199_991, 200_000)]


@pytest.mark.parametrize(("count", "of"), CASES)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_bound_is_the_quantile_of_the_beta_distribution(count, of, level):
    beta = pytest.importorskip("scipy.stats").beta
    exact = beta.ppf(1 - level, count, of - count + 1) if count else 0.0
    assert lower_bound(count, of, level) == pytest.approx(exact, rel=1e-8, abs=1e-12)


def test_without_a_failure_the_bound_is_a_root():
    assert lower_bound(59, 59, 0.95) == pytest.approx(0.05 ** (1 / 59))
    assert lower_bound(59, 59, 0.95) > 0.95 > lower_bound(58, 58, 0.95)


def test_the_bound_is_met_as_often_as_it_says():
    low = lower_bound(8, 10, 0.95)
    as_good = sum(math.comb(10, k) * low**k * (1 - low) ** (10 - k) for k in range(8, 11))
    assert as_good == pytest.approx(0.05)


def test_nothing_seen_bounds_nothing():
    assert (Bound(0, 0).low, math.isnan(Bound(0, 0).share)) == (0.0, True)
    assert json.loads(json.dumps(Bound(0, 0).to_json(), allow_nan=False))["share"] is None


def test_a_bound_lies_below_its_share_and_grows_with_the_cases():
    bounds = [Bound(9 * n, 10 * n).low for n in (1, 10, 100)]
    assert bounds == sorted(bounds)
    assert all(0.6 < low < Bound(9, 10).share for low in bounds)
