import numpy as np
import pytest

from mmer.calibration.improve import improvement
from mmer.calibration.improve.improvement import confirmed, improved
from mmer.calibration.prepare import prepared
from mmer.edge.backends.ort import OrtSession

LOUD = np.where(np.arange(32) % 8 == 0, 30, 1).astype("f4")


@pytest.fixture
def loud(build):
    """A layer behind a norm with a few loud channels."""
    builder = build()
    norm = (builder.constant(LOUD), builder.constant(np.zeros(32, "f4")))
    y = builder.node("LayerNormalization", "x", *norm, axis=-1)
    weight = builder.constant((builder.rng.normal(0, 0.2, (32, 24)) / LOUD[:, np.newaxis]).astype("f4"))
    builder.node("Tanh", builder.linear(y, 32, 24, weight), output="y")
    return prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 24]}))


def test_what_helps_the_whole_graph_is_kept_and_written_down(loud, draw):
    samples = draw(16, 1, 6, 32)
    found = improved(loud, lambda: samples, draw(6, 1, 6, 32, seed=2), 8)
    (note,) = found.to_json()
    assert note["into"] == ["LayerNormalization"]
    assert note["after"] < 0.1 * note["before"]
    (given,) = draw(1, 1, 4, 32, seed=3)
    answers = [OrtSession.open(n.model.SerializeToString()).run(given)["y"] for n in (loud, found.network)]
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_what_other_samples_do_not_confirm_is_left_out(loud, draw, monkeypatch):
    monkeypatch.setattr(improvement, "worst_cosine", lambda *_: 0.9)
    samples = draw(16, 1, 6, 32)
    found = improved(loud, lambda: samples, draw(6, 1, 6, 32, seed=2), 8)
    assert found.network is loud
    assert found.to_json() == []


def test_a_graph_that_needs_nothing_is_given_back(build, draw):
    builder = build()
    builder.node("Tanh", builder.linear("x", 32, 32), output="y")
    network = prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}))
    samples = draw(8, 1, 4, 32)
    assert improved(network, lambda: samples, samples, 8).network is network


def test_an_addition_needs_more_gain_than_a_fold(build, draw):
    builder = build()
    norm = (builder.constant(np.where(np.arange(32) % 8 == 0, 8, 1).astype("f4")), builder.constant(np.zeros(32, "f4")))
    y = builder.node("LayerNormalization", "x", *norm, axis=-1)
    builder.node("Add", y, builder.linear(y, 32, 32), output="y")
    network = prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}))
    samples = draw(16, 1, 6, 32)
    assert improved(network, lambda: samples, draw(6, 1, 6, 32, seed=2), 8).network is network


def test_a_later_candidate_must_beat_its_share_of_the_least_error_so_far():
    errors = {"plain": 1.0, "free": 0.8, "paid": 0.5, "best": 0.3}
    assert confirmed([("plain", 1.0), ("free", 0.9)], errors.__getitem__) == "free"
    assert confirmed([("plain", 1.0), ("free", 0.9), ("paid", 0.5)], errors.__getitem__) == "free"
    assert confirmed([("plain", 1.0), ("free", 0.9), ("best", 0.5)], errors.__getitem__) == "best"
