"""Plans that differ in one graph share what lies before it."""

import numpy as np

from mmer.edge.backends.ort import OrtSession
from mmer.edge.pipeline.executor import Executor, Item
from mmer.edge.pipeline.loading import Loaded, Sessions
from mmer.edge.verify.forms import Form
from mmer.edge.verify.rivals import rivals


class Counted:
    def __init__(self, session):
        self.inputs, self.outputs, self.calls = session.inputs, session.outputs, 0
        self._session = session

    def run(self, inputs):
        self.calls += 1
        return self._session.run(inputs)


def opened(bundle, precision, names):
    sessions = {name: Counted(OrtSession.open(bundle.graph(name, precision))) for name in names}
    return Sessions(sessions, {name: Loaded(precision, "ort", None) for name in names})


def test_float_comes_first_then_the_form_then_its_graphs_one_by_one(bundle):
    names = ("level", "votes")
    form = Form.of("auto", opened(bundle, "int8.ort", names))
    found = rivals(opened(bundle, "fp32", names), [form])
    assert [(rival.form, rival.graph) for rival in found] == [
        ("", None),
        ("auto", None),
        ("auto", "level"),
        ("auto", "votes"),
    ]


def test_a_form_with_one_graph_of_its_own_is_run_once(bundle):
    form = Form.of("int8.ort7", opened(bundle, "int8.ort7", ("votes",)))
    assert len(rivals(opened(bundle, "fp32", ("level", "votes")), [form])) == 2


def test_no_graph_computes_the_same_twice(bundle):
    names = ("level", "votes")
    exact, other = opened(bundle, "fp32", names), opened(bundle, "int8.ort", names)
    manifest = bundle.manifest
    executors = [
        Executor(manifest.plan, manifest.graphs, rival.sessions) for rival in rivals(exact, [Form.of("auto", other)])
    ]
    for seed in range(3):
        sound = np.random.default_rng(seed).normal(size=(1, 900)).astype("f4")
        for executor in executors:
            executor.run({"samples": [Item(seed, lambda sound=sound: sound)], "present": []})
    assert {name: session.calls for name, session in exact.sessions.items()} == {"level": 3, "votes": 6}
    assert {name: session.calls for name, session in other.sessions.items()} == {"level": 3, "votes": 6}
