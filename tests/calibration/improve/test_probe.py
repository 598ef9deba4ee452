import numpy as np
import pytest

from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.improve.probe import probes


@pytest.fixture
def layer(build):
    builder = build()
    builder.node("Tanh", builder.linear("x", 32, 24), output="y")
    return prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 24]}))


def test_rows_are_of_samples_that_the_extremes_do_not_know(layer):
    inputs = [{"x": np.full((1, 2, 32), number, "f4")} for number in range(1, 9)]
    (probe,) = probes(layer, sites(layer).values(), lambda: inputs).values()
    (rows,) = probe.rows.values()
    assert set(np.unique(rows)) == {4, 8}
    assert probe.seen.high.max() == 7


def test_of_few_samples_all_serve_for_both(layer):
    inputs = [{"x": np.full((1, 2, 32), number, "f4")} for number in (1, 2)]
    (probe,) = probes(layer, sites(layer).values(), lambda: inputs).values()
    assert probe.seen.high.max() == 2
    assert set(np.unique(next(iter(probe.rows.values())))) == {1, 2}


def test_more_samples_do_not_mean_more_rows(layer, draw):
    for count in (40, 2000):
        (probe,) = probes(layer, sites(layer).values(), lambda count=count: draw(count, 1, 8, 32)).values()
        assert len(next(iter(probe.rows.values()))) <= 256


def test_a_grouped_convolution_has_no_rows(build, draw):
    builder = build()
    weight = builder.constant(builder.rng.normal(0, 1, (16, 2, 3)).astype("f4"))
    builder.node("Tanh", builder.node("Conv", "x", weight, group=8), output="y")
    network = prepared(builder.model({"x": [1, 16, "T"]}, {"y": [1, 16, "U"]}))
    (probe,) = probes(network, sites(network).values(), lambda: draw(4, 1, 16, 9)).values()
    assert not probe.rows
