import json

import numpy as np
import pytest

from mmer.calibration.graph.prepare import prepared
from mmer.calibration.improve import improvement
from mmer.calibration.improve.factors import Factors, FactorsError
from mmer.calibration.improve.improvement import Material, confirmed, improved, repeated
from mmer.calibration.targets.ort import ORT
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


def material(samples, tried):
    return Material(lambda: samples, tried, ORT, {})


def test_what_helps_the_whole_graph_is_kept_and_written_down(loud, draw):
    found = improved(loud, material(draw(16, 1, 6, 32), draw(6, 1, 6, 32, seed=2)))
    (note,) = found.to_json()
    assert note["into"] == ["LayerNormalization"]
    assert note["after"] < 0.1 * note["before"]
    (given,) = draw(1, 1, 4, 32, seed=3)
    answers = [OrtSession.open(n.contained()).run(given)["y"] for n in (loud, found.network)]
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_what_other_samples_do_not_confirm_is_left_out(loud, draw, monkeypatch):
    monkeypatch.setattr(improvement, "worst_cosine", lambda *_: 0.9)
    found = improved(loud, material(draw(16, 1, 6, 32), draw(6, 1, 6, 32, seed=2)))
    assert found.network is loud
    assert found.to_json() == []


def test_a_graph_that_needs_nothing_is_given_back(build, draw):
    builder = build()
    builder.node("Tanh", builder.linear("x", 32, 32), output="y")
    network = prepared(builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]}))
    samples = draw(8, 1, 4, 32)
    assert improved(network, material(samples, samples)).network is network


def test_a_candidate_must_be_clearly_better():
    assert confirmed("plain", "other", {"plain": 1.0, "other": 0.8}.__getitem__) == "other"
    assert confirmed("plain", "other", {"plain": 1.0, "other": 0.95}.__getitem__) == "plain"


def test_what_was_found_once_can_be_done_again_to_the_bit(loud, draw):
    found = improved(loud, material(draw(16, 1, 6, 32), draw(6, 1, 6, 32, seed=2)))
    written = [Factors.from_json(json.loads(json.dumps(each.to_json()))) for each in found.factors]
    assert repeated(loud, written).network.contained() == found.network.contained()


@pytest.mark.parametrize("tensors", [("another",), None])
def test_factors_of_another_graph_are_refused(loud, draw, tensors):
    (found,) = improved(loud, material(draw(16, 1, 6, 32), draw(6, 1, 6, 32, seed=2))).factors
    wrong = Factors(tensors or found.tensors, found.values[: None if tensors else 4])
    with pytest.raises(FactorsError, match="fit nothing in this graph"):
        repeated(loud, [wrong])


@pytest.mark.parametrize(
    "document",
    [
        None,
        {"tensors": ["x"]},
        {"tensors": "x", "values": [1.0]},
        {"tensors": ["x"], "values": []},
        {"tensors": ["x"], "values": [1.0, 0.0]},
        {"tensors": ["x"], "values": [float("nan")]},
        {"tensors": ["x"], "values": [True]},
    ],
)
def test_damaged_factors_are_refused(document):
    with pytest.raises(FactorsError, match="calibrate without its ranges"):
        Factors.from_json(document)
