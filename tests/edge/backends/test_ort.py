"""A session of ONNX Runtime takes no more memory than it needs."""

import gc

import numpy as np
import onnxruntime
import pytest

from mmer.edge.backends.ort import OrtSession, simplified
from mmer.edge.errors import DeviceError
from mmer.edge.faces.mtcnn import ASSETS


@pytest.fixture
def graph():
    return (ASSETS / "rnet.onnx").read_bytes()


def test_a_session_no_longer_holds_the_bytes_that_it_was_made_of(graph):
    session = OrtSession.open(graph)
    assert session.inputs
    assert not [one for one in gc.get_referrers(graph) if isinstance(one, dict) and "_sess" in one]


def test_a_version_that_never_held_them_works_too(graph, monkeypatch):
    class Forgetful(onnxruntime.InferenceSession):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            del self._model_bytes

    monkeypatch.setattr(onnxruntime, "InferenceSession", Forgetful)
    assert OrtSession.open(graph).inputs


def test_a_simplified_graph_computes_the_same(graph):
    sessions = OrtSession.open(graph), OrtSession.open(simplified(graph))
    sizes = [size if isinstance(size, int) else 2 for size in sessions[0].inputs[0].shape]
    given = {sessions[0].inputs[0].name: np.random.default_rng(0).integers(0, 256, sizes).astype("u1")}
    expected, found = (session.run(given) for session in sessions)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5)


def test_what_is_no_graph_is_not_simplified():
    with pytest.raises(DeviceError, match="cannot load it"):
        simplified(b"no graph")
