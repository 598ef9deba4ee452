"""A session of ONNX Runtime takes no more memory than it needs."""

import gc

import onnxruntime
import pytest

from mmer.edge.backends.ort import OrtSession
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
