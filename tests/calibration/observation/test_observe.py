import tracemalloc

import numpy as np
import pytest

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.observation.observe import extremes, observe
from mmer.calibration.observation.passes import groups
from mmer.calibration.observation.ranges import Range
from mmer.calibration.observation.statistics import NotFiniteError


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


@pytest.fixture
def deep(build):
    """Twenty layers, each of which reads 16 channels."""
    builder = build()
    x = "x"
    for _ in range(20):
        x = builder.linear(builder.node("Tanh", x), 16, 16)
    builder.node("Tanh", x, output="y")
    return prepared(builder.model({"x": [1, "T", 16]}, {"y": [1, "T", 16]}))


def test_every_pass_watches_what_fits_for_the_longest_sample(deep, draw):
    samples = draw(6, 1, None, 16)
    longest = max(sample["x"].nbytes for sample in samples)
    wanted = [site.input for site in sites(deep).values()]
    assert [len(names) for names in groups(deep, wanted, lambda: samples, 6 * longest)] == [6, 6, 6, 2]


def test_a_tensor_that_is_too_large_has_a_pass_of_its_own(deep, draw):
    wanted = [site.input for site in sites(deep).values()]
    assert [len(names) for names in groups(deep, wanted, lambda: draw(2, 1, None, 16), 1)] == [1] * 20


def test_progress_tells_samples_over_all_passes(deep, draw, monkeypatch):
    monkeypatch.setattr("mmer.calibration.observation.passes.TOGETHER", 800)
    heard = []
    found = observe(deep, lambda: draw(3, 1, 4, 16), step=lambda done, of: heard.append((done, of)))
    assert len(found.seen) == 20
    assert heard == [(done, 21) for done in range(1, 22)]


def test_the_order_of_samples_does_not_matter_to_what_is_counted(transformer, draw):
    network, samples = prepared(transformer), draw(20, 1, None, 32)
    one, other = (observe(network, lambda given=given: given) for given in (samples, samples[::-1]))
    for name, kept in one.statistics.items():
        np.testing.assert_array_equal(kept.plain.counts, other.statistics[name].plain.counts)
        assert kept.plain.exponent == other.statistics[name].plain.exponent
        assert kept.plain.counts.sum() == kept.seen.count * len(kept.seen.low)


def test_a_tensor_may_have_a_method_of_its_own(transformer, draw):
    observed = observe(prepared(transformer), lambda: draw(8, 1, 200, 32), "minmax")
    mixed = observed.by("minmax", {"x.flat": "percentile"})
    assert mixed.range("x.flat", centred=False) == observed.range("x.flat", centred=False, method="percentile")
    assert mixed.range("x.flat", centred=False) != observed.range("x.flat", centred=False)
    others = set(observed.statistics) - {"x.flat"}
    assert others
    for name in others:
        assert mixed.range(name, centred=True) == observed.range(name, centred=True)


def test_what_is_not_finite_is_refused_by_name(transformer):
    broken = np.full((1, 3, 32), np.nan, "f4")
    with pytest.raises(NotFiniteError, match=r"tensor x\.flat is infinite or not a number"):
        observe(prepared(transformer), lambda: [{"x": broken}])


def test_memory_does_not_grow_with_the_number_of_samples(transformer):
    network = prepared(transformer)
    rng = np.random.default_rng(0)

    def peak(count):
        tracemalloc.start()
        observe(network, lambda: ({"x": rng.normal(0, 1, (1, 512, 32)).astype("f4")} for _ in range(count)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(120) < 1.05 * peak(6)
