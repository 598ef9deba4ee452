import numpy as np
import pytest

from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.observation.passes import values
from mmer.calibration.weights.levels import Channels
from mmer.calibration.weights.products import Products
from mmer.calibration.weights.reads import readable, rows
from mmer.calibration.weights.rounding import levels_of, rounded

ALL = 1 << 20


def products_of(rows):
    made = Products(rows.shape[1])
    made.add("", rows)
    return made


def correlated(count, width, rng):
    """Rows of which most of the variance lies in a few directions."""
    return (rng.normal(0, 1, (count, 6)) @ rng.normal(0, 1, (6, width)) + rng.normal(0, 0.05, (count, width))).astype(
        "f4"
    )


@pytest.mark.parametrize("axis", [0, 1])
def test_errors_cancel_over_what_is_read(axis):
    rng = np.random.default_rng(0)
    every, weight = correlated(900, 96, rng), rng.normal(0, 1, (96, 40)).astype("f4")
    weight = weight.T if axis == 0 else weight
    read, fresh = every[:600], every[600:]

    def error(channels):
        difference = channels.restored() - weight
        return float(np.abs(fresh @ (difference.T if axis == 0 else difference)).mean())

    assert error(rounded(weight, axis, 7, products_of(read))) < 0.35 * error(Channels.of(weight, axis, 7))


def test_what_is_not_correlated_is_rounded_to_the_nearest():
    rng = np.random.default_rng(1)
    weight = rng.normal(0, 1, (32, 16)).astype("f4")
    read = np.concatenate([np.eye(32, dtype="f4"), -np.eye(32, dtype="f4")])
    assert (rounded(weight, 1, 8, products_of(read)).values == Channels.of(weight, 1, 8).values).all()


def test_no_level_is_beyond_those_of_the_bits():
    rng = np.random.default_rng(2)
    found = rounded(rng.normal(0, 1, (64, 16)).astype("f4"), 1, 7, products_of(correlated(200, 64, rng)))
    assert np.abs(found.values).max() <= 63


def test_an_input_that_never_varies_does_no_harm():
    weight = np.random.default_rng(3).normal(0, 1, (32, 16)).astype("f4")
    assert (
        rounded(weight, 1, 8, products_of(np.zeros((10, 32), "f4"))).values == Channels.of(weight, 1, 8).values
    ).all()


def test_more_columns_than_are_inverted_together_are_all_rounded(monkeypatch):
    monkeypatch.setattr("mmer.calibration.weights.products.TOGETHER", 24)
    rng = np.random.default_rng(4)
    weight = rng.normal(0, 1, (64, 16)).astype("f4")
    found = rounded(weight, 1, 8, products_of(correlated(200, 64, rng)))
    assert np.abs(found.restored() - weight).max() < 6 * found.scale.max()


def test_the_rows_of_a_convolution_times_its_weight_are_what_it_makes(convolutions, draw):
    network, sample = prepared(convolutions), draw(1, 2, 3, 24, 24)[0]
    for site in sites(network).values():
        assert readable(site, network)
        read = dict(values(network, {site.input}, lambda: [sample]))[site.input]
        weight, bias = network.weights[site.weight], network.weights[site.bias]
        made = rows(read, site, network, ALL, np.random.default_rng(0)) @ weight.reshape(len(weight), -1).T + bias
        wanted = dict(values(network, {site.output}, lambda: [sample]))[site.output]
        np.testing.assert_allclose(made, np.moveaxis(wanted, 1, -1).reshape(made.shape), atol=1e-4)


def test_layers_that_share_a_weight_share_its_levels(build, draw):
    builder = build()
    shared = builder.weight(32, 32, scale=0.3)
    x = builder.node("Tanh", builder.linear("x", 32, 32, weight=shared))
    builder.node("Tanh", builder.linear(x, 32, 32, weight=shared), output="y")
    network = prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}))
    inputs = draw(6, 1, None, 32)
    assert list(levels_of(network, sites(network), lambda: inputs, 8)) == [(shared, 1)]


def test_more_samples_do_not_mean_more_rows(transformer, draw, monkeypatch):
    seen = []
    monkeypatch.setattr("mmer.calibration.weights.rounding._ROWS", 16)
    monkeypatch.setattr("mmer.calibration.weights.rounding.rounded", lambda *given: seen.append(given[3].count))
    network, inputs = prepared(transformer), draw(40, 1, None, 32)
    levels_of(network, sites(network), lambda: inputs, 8)
    assert seen == [16] * 6


def test_equal_samples_give_equal_levels(transformer, draw):
    network, inputs = prepared(transformer), draw(6, 1, None, 32)
    first, again = (levels_of(network, sites(network), lambda: inputs, 8) for _ in range(2))
    assert all((first[key].values == again[key].values).all() for key in first)


def test_products_that_are_summed_part_by_part_are_those_of_all_rows_about_their_mean():
    rng = np.random.default_rng(6)
    every = (correlated(300, 40, rng) + rng.normal(0, 100, 40)).astype("f4")
    products = Products(40)
    for part in np.split(every, 6):
        products.add("layer", part)
    about = (every - every.mean(axis=0, dtype=float)).astype(float)
    ((_, found),) = products.centred()
    np.testing.assert_allclose(found, about.T @ about, atol=1e-3 * np.abs(about.T @ about).max())


def test_layers_count_from_their_own_mean_though_they_share_a_weight():
    rng = np.random.default_rng(7)
    one, other = correlated(100, 16, rng), correlated(100, 16, rng) + 50
    products = Products(16)
    products.add("one", one)
    products.add("other", other.astype("f4"))
    ((_, found),) = products.centred()
    expected = sum((rows - rows.mean(axis=0)).T @ (rows - rows.mean(axis=0)) for rows in (one, other))
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.5)


def test_levels_do_not_depend_on_how_many_weights_fit_into_a_pass(transformer, draw, monkeypatch):
    network, inputs = prepared(transformer), draw(6, 1, None, 32)
    together = levels_of(network, sites(network), lambda: inputs, 8)
    monkeypatch.setattr("mmer.calibration.weights.rounding._BYTES", 1)
    apart = levels_of(network, sites(network), lambda: inputs, 8)
    assert all((together[key].values == apart[key].values).mean() > 0.9 for key in together)
