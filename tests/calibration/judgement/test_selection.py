import numpy as np
import pytest

from mmer.calibration.emit import Basis
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.judgement.check import outputs, worst_cosine
from mmer.calibration.judgement.selection import Trial, selected
from mmer.calibration.observation.observe import observe
from mmer.calibration.targets.ort import ORT7
from mmer.calibration.weights.rounding import levels_of


def trial_of(model, inputs):
    network = prepared(model)
    observed = observe(network, lambda: inputs)
    levels = levels_of(network, sites(network), lambda: inputs, 7)
    basis = Basis(network, observed, {7: levels}, {})
    return Trial(basis, ORT7, inputs, outputs(model.SerializeToString(), inputs))


def rough(builder, x):
    """A layer that reads values of which a few are a thousand times larger than the rest."""
    peaks = np.ones(32, "f4")
    peaks[3] = 2000
    rows = (builder.rng.normal(0, 0.2, (32, 32)) / peaks[:, None]).astype("f4")
    rows[3] = 0
    made = builder.node("MatMul", builder.node("Mul", x, builder.constant(peaks)), builder.constant(rows * 2000))
    return builder.node("Tanh", builder.node("Mul", made, builder.constant(np.float32(1 / 2000))))


@pytest.fixture
def uneven(build, draw):
    """Four layers, of which the second is rough."""
    builder = build()
    x = rough(builder, builder.linear("x", 32, 32))
    x = builder.node("Tanh", builder.linear(x, 32, 32))
    builder.node("Tanh", builder.linear(x, 32, 32), output="y")
    return trial_of(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), draw(12, 1, 6, 32))


def test_every_layer_is_taken_where_all_of_them_keep_the_bound(transformer, draw):
    trial = trial_of(transformer, draw(12, 1, 6, 32))
    assert selected(trial, 0.99) == sites(trial.basis.network)


def test_the_layer_that_would_break_the_bound_stays_float(uneven):
    found = sites(uneven.basis.network)
    worst = max(found, key=lambda output: uneven.error({output: found[output]}))
    assert uneven.error(found) > 0.01
    chosen = selected(uneven, 0.99)
    assert set(chosen) == set(found) - {worst}
    assert uneven.error(chosen) < 0.01


def test_nothing_is_taken_where_no_layer_keeps_the_bound(uneven):
    assert selected(uneven, 1.0) == {}


def test_layers_that_share_a_weight_are_taken_together_or_not_at_all(build, draw):
    builder = build()
    shared = builder.weight(32, 32, scale=0.3)
    x = builder.node("Tanh", builder.linear("x", 32, 32, weight=shared))
    x = builder.node("Tanh", builder.linear(x, 32, 32, weight=shared))
    builder.node("Mul", rough(builder, x), builder.constant(np.float32(1)), output="y")
    trial = trial_of(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}), draw(12, 1, 6, 32))
    found = sites(trial.basis.network)
    two = {output for output, site in found.items() if site.weight == shared}
    single = min(trial.error({output: found[output]}) for output in two)
    both = trial.error({output: found[output] for output in two})
    assert single < 0.9 * both < trial.error(found)
    assert set(selected(trial, 1 - both / 0.79)) == two
    assert selected(trial, 1 - (single + both) / 2 / 0.8) == {}


def test_a_graph_that_the_runtime_refuses_is_an_error_and_no_end(uneven, monkeypatch):
    monkeypatch.setattr("mmer.calibration.judgement.selection.emitted", lambda *_: b"no graph at all")
    assert selected(uneven, 0.9) == {}


def test_the_part_that_was_taken_is_what_the_content_holds(uneven):
    chosen = selected(uneven, 0.99)
    found = outputs(uneven.content(chosen), uneven.inputs)
    assert 0.99 < worst_cosine(uneven.expected, found) < 1
