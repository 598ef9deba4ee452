import tracemalloc

import numpy as np
import pytest

from mmer.calibration.network import Network
from mmer.calibration.observe import extremes, observe, percentiles
from mmer.calibration.prepare import prepared
from mmer.calibration.ranges import Range


@pytest.fixture
def network(build):
    builder = build()
    builder.node("Mul", builder.node("Neg", "x"), builder.constant(np.float32(2)), output="y")
    return Network.of(builder.model({"x": [1, "T", 4]}, {"y": [1, "T", 4]}))


def test_extremes_are_those_of_all_samples_though_each_has_its_own_length(network, draw):
    samples = draw(20, 1, None, 4)
    assert len({sample["x"].shape for sample in samples}) > 3
    seen = extremes(network, {"x": -1, "y": None}, lambda: samples)
    rows = np.concatenate([sample["x"][0] for sample in samples])
    np.testing.assert_allclose(seen["x"].low, rows.min(axis=0))
    np.testing.assert_allclose(seen["x"].mean, rows.mean(axis=0), rtol=1e-5)
    assert seen["y"].range(centred=False) == Range(float(-2 * rows.max()), float(-2 * rows.min()))


def test_a_centred_range_is_that_of_the_distances_from_the_mean(network, draw):
    samples = draw(20, 1, None, 4)
    rows = np.concatenate([sample["x"][0] for sample in samples]) + np.array([0, 10, 20, 30])
    moved = [{"x": (sample["x"] + np.array([0, 10, 20, 30])).astype("f4")} for sample in samples]
    found = extremes(network, {"x": -1}, lambda: moved)["x"].range(centred=True)
    distances = rows - rows.mean(axis=0)
    assert (found.low, found.high) == pytest.approx((distances.min(), distances.max()), abs=1e-4)


def test_a_percentile_leaves_rare_values_out(network):
    values = np.linspace(-1, 1, 4000, dtype="f4")
    values[0] = -100
    samples = [{"x": part.reshape(1, -1, 4)} for part in np.split(values, 10)]
    found = percentiles(network, {"x": Range(-100, 1)}, {}, lambda: samples, 0.999)
    assert found["x"].low > -1.1
    assert found["x"].high == pytest.approx(1, abs=0.1)


def test_more_tensors_than_fit_into_one_pass_are_all_seen(build, draw):
    builder = build()
    x = "x"
    for _ in range(20):
        x = builder.linear(builder.node("Tanh", x), 16, 16)
    builder.node("Tanh", x, output="y")
    network = prepared(builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]}))
    passes = []

    def inputs():
        passes.append(1)
        return draw(3, 1, None, 16)

    assert len(observe(network, inputs, 1.0).seen) == 20
    assert len(passes) == 2


def test_memory_does_not_grow_with_the_number_of_samples(transformer):
    network = prepared(transformer)
    rng = np.random.default_rng(0)

    def peak(count):
        tracemalloc.start()
        observe(network, lambda: ({"x": rng.normal(0, 1, (1, 512, 32)).astype("f4")} for _ in range(count)), 0.9999)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(120) < 1.2 * peak(6)
