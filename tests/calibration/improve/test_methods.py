import numpy as np
import pytest

from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.improve.methods import Readers, methods_of
from mmer.calibration.improve.probe import probes
from mmer.calibration.observation.observe import observe
from mmer.calibration.weights.rounding import levels_of

METHODS = ("minmax", "entropy")


@pytest.fixture
def one_layer(build):
    """A layer that hardly counts its first input, `[1, T, 32]`."""
    builder = build()
    weight = builder.rng.normal(0, 0.2, (32, 24))
    weight[0] *= 1e-3
    builder.node("Tanh", builder.linear("x", 32, 24, builder.constant(weight.astype("f4"))), output="y")
    return prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 24]}))


def chosen(network, inputs):
    found = sites(network)
    levels = levels_of(network, found, lambda: inputs, 8)
    readers = Readers(network, found, probes(network, found.values(), lambda: inputs), levels)
    observed = observe(network, lambda: inputs)
    return methods_of(readers, lambda t, c, m: observed.range(t, centred=c, method=m), METHODS)


def loud(channel):
    """Samples with one channel that is now and then very large."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (16, 1, 40, 32))
    values[..., channel] *= np.where(rng.uniform(size=(16, 1, 40)) < 0.05, 300, 1)
    return [{"x": each.astype("f4")} for each in values]


def test_what_hardly_counts_is_cut_off(one_layer):
    assert chosen(one_layer, loud(0)) == {"x.flat": "entropy"}


def test_what_counts_is_kept(one_layer):
    assert chosen(one_layer, loud(7)) == {"x.flat": "minmax"}


def test_the_first_method_stands_where_all_are_alike(one_layer):
    inputs = [{"x": np.sign(each["x"] - 150)} for each in loud(0)]
    assert chosen(one_layer, inputs) == {"x.flat": "minmax"}


def test_what_one_convolution_makes_is_judged_by_the_next(convolutions, draw):
    network = prepared(convolutions)
    found = chosen(network, draw(8, 2, 3, 24, 24))
    assert set(found) <= {node.output[0] for node in network.nodes} | {"x"}
    assert len(found) == 3
