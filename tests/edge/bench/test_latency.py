import numpy as np
import pytest

from mmer.edge.bench.latency import Noise, Spread, StageTimes
from mmer.edge.pipeline.stopwatch import Stopwatch


def test_percentiles_are_those_of_the_times():
    assert Spread.of(list(range(101))) == Spread(50, 90, 95, 99, 100)


def test_a_single_time_is_all_of_them():
    assert set(Spread.of([7.0]).to_json().values()) == {7.0}


def test_a_stage_that_never_ran_has_no_times():
    assert StageTimes.of(Stopwatch(), 3.0) is None


def test_the_times_of_a_stage_are_counted_for_each_second_of_media():
    watch = Stopwatch()
    for _ in range(3):
        with watch.running():
            pass
    found = StageTimes.of(watch, 0.5)
    assert (found.calls, found.per_media_s_ms) == (3, pytest.approx(2 * found.total_ms, abs=2e-3))


def test_noise_is_the_ratio_of_the_second_time_to_the_first():
    assert Noise.of(np.full(5, 2.0), np.full(5, 3.0)) == Noise(5, 1.5, 1.5, 1.5)
