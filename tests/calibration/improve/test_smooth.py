import numpy as np
import pytest

from mmer.calibration.emit import Basis, emitted
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.improve.joints import joints
from mmer.calibration.improve.smooth import smoothed, smoothings
from mmer.calibration.judgement.check import check
from mmer.calibration.observation.observe import observe
from mmer.calibration.targets.ort import ORT
from mmer.calibration.weights.rounding import levels_of
from mmer.edge.backends.ort import OrtSession

WIDTH = 32
LOUD = np.where(np.arange(WIDTH) % 8 == 0, 30, 1).astype("f4")


def answer(network, given):
    return OrtSession.open(network.contained()).run(given)["y"]


def changed(network, inputs):
    chosen = smoothings(network, sites(network), lambda: inputs, 8)
    return chosen, smoothed(network, [(smoothing.group, smoothing.factors) for smoothing in chosen])


def cosine(network, model, inputs, fresh):
    found = sites(network)
    basis = Basis(network, observe(network, lambda: inputs), {8: levels_of(network, found, lambda: inputs, 8)}, {})
    content = emitted(basis, found, ORT)
    return check(content, model.SerializeToString(), fresh).cosine


def quiet(builder, columns, name=None):
    """Return a weight that makes up for the loud channels."""
    array = builder.rng.normal(0, WIDTH**-0.5, (WIDTH, columns)) / LOUD[:, np.newaxis]
    return builder.constant(array.astype("f4"), name)


def norm(builder, x):
    weight, bias = builder.constant(LOUD), builder.constant(builder.rng.normal(0, 0.3, WIDTH).astype("f4") * LOUD)
    return builder.node("LayerNormalization", x, weight, bias, axis=-1)


@pytest.fixture
def normed(build):
    """Two layers that read a norm with loud channels, `[1, T, 32]`."""
    builder = build()
    y = norm(builder, "x")
    both = [builder.linear(y, WIDTH, 24, quiet(builder, 24)) for _ in range(2)]
    builder.node("Mul", *both, output="y")
    return builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", 24]})


@pytest.fixture
def also_added(build):
    """A layer that reads a norm with loud channels, as a residual addition does too."""
    builder = build()
    y = norm(builder, "x")
    out = builder.linear(y, WIDTH, WIDTH, quiet(builder, WIDTH))
    builder.node("Add", y, out, output="y")
    return builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", WIDTH]})


@pytest.fixture
def uneven(build):
    """Two convolutions with a ReLU and a pool between, the channels in the middle of unlike sizes."""
    builder = build()
    sizes = np.exp(builder.rng.normal(0, 2, 16))
    first = (builder.rng.normal(0, 0.2, (16, 16, 3, 3)) * sizes[:, None, None, None]).astype("f4")
    second = (builder.rng.normal(0, 0.1, (32, 16, 3, 3)) / sizes[None, :, None, None]).astype("f4")
    bias = builder.constant((builder.rng.normal(0, 0.2, 16) * sizes).astype("f4"))
    x = builder.node("Conv", "x", builder.constant(first), bias, pads=[1, 1, 1, 1])
    x = builder.node("MaxPool", builder.node("Relu", x), kernel_shape=[2, 2], strides=[2, 2])
    x = builder.node("Conv", x, builder.constant(second), builder.weight(32), pads=[1, 1, 1, 1])
    builder.node("Tanh", x, output="y")
    return builder.model({"x": ["N", 16, 12, 12]}, {"y": ["N", 32, 6, 6]})


def test_factors_vanish_in_the_norm_in_front(normed, draw):
    network = prepared(normed)
    chosen, other = changed(network, draw(16, 1, None, WIDTH))
    assert len(chosen) == 1
    assert len(other.nodes) == len(network.nodes)
    (given,) = draw(1, 1, 5, WIDTH, seed=2)
    np.testing.assert_allclose(answer(other, given), answer(network, given), rtol=1e-4, atol=1e-5)


def test_loud_channels_of_a_norm_no_longer_cost_precision(normed, draw):
    network, inputs, fresh = prepared(normed), draw(16, 1, 8, WIDTH), draw(8, 1, 8, WIDTH, seed=2)
    _, other = changed(network, inputs)
    before, after = (1 - cosine(each, normed, inputs, fresh) for each in (network, other))
    assert after < 0.1 * before


def test_where_somebody_else_reads_the_norm_nothing_is_done(also_added):
    network = prepared(also_added)
    assert sites(network)
    assert not joints(network, sites(network))


def test_channels_between_convolutions_are_made_alike(uneven, draw):
    network, inputs, fresh = prepared(uneven), draw(16, 2, 16, 12, 12), draw(8, 2, 16, 12, 12, seed=2)
    chosen, other = changed(network, inputs)
    assert len(chosen) == 1
    np.testing.assert_allclose(answer(other, fresh[0]), answer(network, fresh[0]), rtol=1e-4, atol=1e-5)
    before, after = (1 - cosine(each, uneven, inputs, fresh) for each in (network, other))
    assert after < 0.2 * before


def test_layers_that_share_a_weight_go_on_sharing_it(build, draw):
    builder = build()
    shared, x = quiet(builder, WIDTH, "shared"), "x"
    for _ in range(2):
        x = builder.node("Tanh", builder.linear(norm(builder, x), WIDTH, WIDTH, shared))
    builder.node("Identity", x, output="y")
    network = prepared(builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", WIDTH]}))
    chosen, other = changed(network, draw(16, 1, None, WIDTH))
    assert [len(smoothing.group) for smoothing in chosen] == [2]
    assert [name for name, values in other.weights.items() if values.ndim == 2] == ["shared.scaled"]
    (given,) = draw(1, 1, 5, WIDTH, seed=2)
    np.testing.assert_allclose(answer(other, given), answer(network, given), rtol=1e-3, atol=1e-5)


def test_a_weight_that_an_embedding_shares_is_left_alone(build):
    builder = build()
    weight = quiet(builder, WIDTH)
    looked = builder.node("Gather", weight, builder.constant(np.array([3])))
    builder.node("Add", builder.linear(norm(builder, "x"), WIDTH, WIDTH, weight), looked, output="y")
    network = prepared(builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", WIDTH]}))
    assert sites(network)
    assert not joints(network, sites(network))


def test_even_channels_are_left_as_they_are(build, draw):
    builder = build()
    builder.linear(builder.node("Tanh", "x"), WIDTH, WIDTH, output="y")
    network = prepared(builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", WIDTH]}))
    chosen, other = changed(network, draw(16, 1, None, WIDTH))
    assert not chosen
    assert other is network


def test_a_channel_that_is_always_nothing_does_no_harm(build, draw):
    builder = build()
    silent = builder.constant(np.where(np.arange(WIDTH) == 3, 0, LOUD).astype("f4"))
    y = builder.node("LayerNormalization", "x", silent, builder.constant(np.zeros(WIDTH, "f4")), axis=-1)
    builder.node("Tanh", builder.linear(y, WIDTH, 24, quiet(builder, 24)), output="y")
    network = prepared(builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", 24]}))
    _, other = changed(network, draw(16, 1, None, WIDTH))
    (given,) = draw(1, 1, 5, WIDTH, seed=2)
    np.testing.assert_allclose(answer(other, given), answer(network, given), rtol=1e-4, atol=1e-5)


def test_equal_samples_give_equal_bytes(normed, draw):
    network, inputs = prepared(normed), draw(8, 1, None, WIDTH)
    first, again = (changed(network, inputs)[1].model.SerializeToString(deterministic=True) for _ in range(2))
    assert first == again


def test_what_reads_only_the_shape_of_a_norm_does_not_stand_in_the_way(normed):
    network = prepared(normed)
    assert any(node.op_type == "Shape" for node in network.nodes)
    ((joint,),) = joints(network, sites(network))
    assert joint.fold.op_type == "LayerNormalization"


def test_factors_do_not_pass_what_bends_them(build):
    builder = build()
    hidden = builder.node("Tanh", builder.linear("x", WIDTH, WIDTH))
    builder.linear(hidden, WIDTH, WIDTH, output="y")
    network = prepared(builder.model({"x": [1, "T", WIDTH]}, {"y": [1, "T", WIDTH]}))
    assert len(sites(network)) == 2
    assert not joints(network, sites(network))


def test_filters_of_one_channel_each_read_channels_of_equal_size(build, draw):
    builder = build()
    sizes = np.exp(builder.rng.normal(0, 2, 16))[:, None, None, None]
    first = builder.constant((builder.rng.normal(0, 0.2, (16, 16, 1, 1)) * sizes).astype("f4"))
    second = builder.constant((builder.rng.normal(0, 0.3, (32, 1, 3, 3)) / sizes.repeat(2, 0)).astype("f4"))
    x = builder.node("Relu", builder.node("Conv", "x", first))
    builder.node("Tanh", builder.node("Conv", x, second, group=16), output="y")
    model = builder.model({"x": ["N", 16, 8, 8]}, {"y": ["N", 32, 6, 6]})
    network, inputs, fresh = prepared(model), draw(16, 2, 16, 8, 8), draw(8, 2, 16, 8, 8, seed=2)
    chosen, other = changed(network, inputs)
    assert len(chosen) == 1
    np.testing.assert_allclose(answer(other, fresh[0]), answer(network, fresh[0]), rtol=1e-4, atol=1e-5)
    before, after = (1 - cosine(each, model, inputs, fresh) for each in (network, other))
    assert after < 0.2 * before
