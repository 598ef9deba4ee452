import numpy as np
import pytest

from mmer.calibration.check import outputs, worst_cosine
from mmer.calibration.observe import observe
from mmer.calibration.prepare import prepared
from mmer.calibration.rounding import levels_of
from mmer.calibration.selection import Trial, selected
from mmer.calibration.sites import sites


def trial_of(model, inputs):
    network = prepared(model)
    observed = observe(network, lambda: inputs, 1.0)
    levels = levels_of(network, sites(network), lambda: inputs, 7)
    return Trial(network, observed, levels, inputs, outputs(model.SerializeToString(), inputs))


@pytest.fixture
def uneven(build, draw):
    """Four layers, of which the second reads values of which a few are a thousand times larger than the rest."""
    builder = build()
    x = builder.linear("x", 32, 32)
    peaks = np.ones(32, "f4")
    peaks[3] = 2000
    rows = (builder.rng.normal(0, 0.2, (32, 32)) / peaks[:, None]).astype("f4")
    rows[3] = 0
    rough = builder.node("MatMul", builder.node("Mul", x, builder.constant(peaks)), builder.constant(rows * 2000))
    x = builder.node("Tanh", builder.node("Mul", rough, builder.constant(np.float32(1 / 2000))))
    x = builder.node("Tanh", builder.linear(x, 32, 32))
    builder.node("Tanh", builder.linear(x, 32, 32), output="y")
    return trial_of(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), draw(12, 1, 6, 32))


def test_every_layer_is_taken_where_all_of_them_keep_the_bound(transformer, draw):
    trial = trial_of(transformer, draw(12, 1, 6, 32))
    assert selected(trial, 0.99) == sites(trial.network)


def test_the_layer_that_would_break_the_bound_stays_float(uneven):
    found = sites(uneven.network)
    worst = max(found, key=lambda output: uneven.error({output: found[output]}))
    assert uneven.error(found) > 0.01
    chosen = selected(uneven, 0.99)
    assert set(chosen) == set(found) - {worst}
    assert uneven.error(chosen) < 0.01


def test_nothing_is_taken_where_no_layer_keeps_the_bound(uneven):
    assert selected(uneven, 1.0) == {}


def test_layers_that_share_a_weight_are_taken_together(build, draw):
    builder = build()
    shared = builder.weight(32, 32, scale=0.3)
    x = "x"
    for _ in range(3):
        x = builder.node("Tanh", builder.linear(x, 32, 32, weight=shared))
    builder.node("Tanh", builder.linear(x, 32, 32), output="y")
    trial = trial_of(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), draw(12, 1, 6, 32))
    errors = sorted(trial.error({o: s}) for o, s in sites(trial.network).items())
    chosen = selected(trial, 1 - 1.3 * errors[0])
    uses = [site.weight for site in chosen.values()].count(shared)
    assert uses in {0, 3}
    assert len(chosen) < 4


def test_the_part_that_was_taken_is_what_the_content_holds(uneven):
    chosen = selected(uneven, 0.99)
    found = outputs(uneven.content(chosen), uneven.inputs)
    assert 0.99 < worst_cosine(uneven.expected, found) < 1
