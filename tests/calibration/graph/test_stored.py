import numpy as np
import onnx
import pytest

from mmer.calibration.emit import Basis, emitted
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.prepare import joined
from mmer.calibration.graph.sites import sites
from mmer.calibration.graph.stored import WeightsError, stored
from mmer.calibration.observation.observe import observe
from mmer.calibration.observation.passes import values
from mmer.calibration.targets.ort import ORT
from mmer.calibration.weights.rounding import levels_of
from mmer.edge.backends.ort import OrtSession


@pytest.fixture
def wide(build):
    """Two layers whose weights are too large to stay in the graph."""
    builder = build()
    hidden = builder.node("Relu", builder.linear("x", 32, 64))
    builder.node("Tanh", builder.linear(hidden, 64, 32), output="y")
    return builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})


def test_weights_lie_in_a_file_and_are_the_same(wide, tmp_path):
    network = Network.of(stored(wide, tmp_path), tmp_path)
    assert network.model.ByteSize() < 0.3 * wide.ByteSize()
    for name, array in Network.of(wide).weights.items():
        np.testing.assert_array_equal(network.weights[name], array)
    assert isinstance(network.weights["w0"], np.memmap)


def test_a_pass_reads_weights_where_they_lie(wide, draw, tmp_path):
    network = joined(Network.of(stored(wide, tmp_path), tmp_path))
    assert network.folder == tmp_path
    (sample,) = draw(1, 1, 5, 32)
    found = dict(values(network, {"y"}, lambda: [sample]))["y"]
    np.testing.assert_allclose(found, OrtSession.open(wide.SerializeToString()).run(sample)["y"], atol=1e-5)


def test_what_is_emitted_holds_its_weights_itself(wide, draw, tmp_path):
    inputs = draw(6, 1, None, 32)

    def made(network):
        found = sites(network)
        levels = {8: levels_of(network, found, lambda: inputs, 8)}
        return emitted(Basis(network, observe(network, lambda: inputs), levels, {}), found, ORT)

    content = made(joined(Network.of(stored(wide, tmp_path), tmp_path)))
    assert content == made(joined(Network.of(wide)))
    assert not any(tensor.external_data for tensor in onnx.load_from_string(content).graph.initializer)


@pytest.mark.parametrize(
    ("key", "value"),
    [("location", "../weights.bin"), ("location", "/etc/passwd"), ("offset", "1000000"), ("offset", "x")],
)
def test_a_weight_that_does_not_lie_beside_the_graph_is_refused(wide, tmp_path, key, value):
    model = stored(wide, tmp_path)
    next(entry for entry in model.graph.initializer[0].external_data if entry.key == key).value = value
    with pytest.raises(WeightsError, match="w0"):
        Network.of(model, tmp_path).weights["w0"]
