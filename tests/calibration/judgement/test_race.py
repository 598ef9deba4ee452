import numpy as np
import pytest

from mmer.calibration.judgement.race import race


class Clock:
    """Time that passes only when a runner runs."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Runner:
    """A session that takes a stated time, give or take a share of it."""

    inputs = outputs = ()

    def __init__(self, clock, takes_s, jitter=0.0, seed=0):
        self.clock, self.takes_s, self.jitter = clock, takes_s, jitter
        self.rng = np.random.default_rng(seed)

    def run(self, _inputs):
        self.clock.now += self.takes_s * (1 + self.jitter * self.rng.uniform(-1, 1))
        return {}


@pytest.fixture
def clock():
    return Clock()


def test_a_rival_that_takes_half_the_time_is_faster(clock):
    found = race(Runner(clock, 0.002), Runner(clock, 0.001), [{}], clock)
    assert found.speed == pytest.approx(2)
    assert found.fault() is None


@pytest.mark.parametrize("takes_s", [0.002, 0.003])
def test_a_rival_that_is_not_faster_has_a_fault(clock, takes_s):
    assert "not faster than float" in race(Runner(clock, 0.002), Runner(clock, takes_s), [{}], clock).fault()


def test_a_lead_within_the_noise_does_not_count(clock):
    found = race(Runner(clock, 0.002, 0.8), Runner(clock, 0.00195, 0.8, seed=1), [{}], clock)
    assert found.noise > 0.03
    assert found.fault() is not None


def test_slow_graphs_get_fewer_rounds(clock):
    assert race(Runner(clock, 2.0), Runner(clock, 1.0), [{}], clock).rounds == 5


def test_every_input_has_its_turn(clock):
    seen = []
    runner = Runner(clock, 0.001)
    runner.run = lambda given: seen.append(given["n"]) or {}
    race(runner, runner, [{"n": n} for n in range(5)], clock)
    assert set(seen) == set(range(5))
