import numpy as np

from mmer.calibration.improve.constant import turned
from mmer.calibration.network import Network
from mmer.calibration.prepare import prepared
from mmer.calibration.sites import sites
from mmer.edge.backends.ort import OrtSession


def shared(builder):
    weight, x = builder.weight(32, 32, name="shared"), "x"
    for _ in range(2):
        x = builder.node("Tanh", builder.node("MatMul", x, builder.node("Transpose", weight, perm=[1, 0])))
    builder.node("Identity", x, output="y")
    return builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})


def test_a_weight_that_is_turned_round_at_each_use_becomes_one_weight(build, draw):
    model = shared(build())
    network = Network.of(turned(model))
    assert list(network.weights) == ["shared.turned.1.0"]
    assert "Transpose" not in [node.op_type for node in network.nodes]
    (given,) = draw(1, 1, 5, 32)
    outputs = [OrtSession.open(m.SerializeToString()).run(given)["y"] for m in (model, network.model)]
    np.testing.assert_allclose(*outputs, atol=1e-6)


def test_its_layers_can_be_quantised(build):
    model = shared(build())
    assert not sites(prepared(model))
    assert len(sites(prepared(turned(model)))) == 2


def test_a_graph_without_such_weights_stays_as_it_is(transformer):
    assert turned(transformer) is transformer


def test_a_weight_that_the_graph_gives_away_turned_is_left_alone(build):
    builder = build()
    builder.node("Transpose", builder.weight(4, 8), output="y")
    model = builder.model({"x": [1]}, {"y": [8, 4]})
    assert [node.op_type for node in turned(model).graph.node] == ["Transpose"]
