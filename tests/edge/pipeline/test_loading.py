"""A graph is trusted on a machine after it computed its golden values there, and not before."""

import json
from dataclasses import replace

import pytest

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import DeviceError, SettingError
from mmer.edge.pipeline.loading import Backend, load
from mmer.edge.pipeline.trust import Trust


class Opened:
    """A backend that counts, and computes some files wrongly or not at all."""

    def __init__(self, wrong=(), broken=()):
        self.wrong, self.broken, self.runs = set(wrong), set(broken), 0

    def __call__(self, content):
        if content in self.broken:
            raise DeviceError("cannot be loaded")
        session = OrtSession.open(content)
        return Off(session, self, 1.0 if content in self.wrong else 0.0)


class Off:
    def __init__(self, session, backend, error):
        self.inputs, self.outputs = session.inputs, session.outputs
        self._session, self._backend, self._error = session, backend, error

    def run(self, inputs):
        self._backend.runs += 1
        return {name: value + self._error for name, value in self._session.run(inputs).items()}


@pytest.fixture
def quantised(bundle, tmp_path):
    """The bundle with a second file for each graph, called INT8; it differs in a comment only."""
    manifest, files = bundle.manifest, {name: bundle.read(name) for name in bundle.manifest.files}
    graphs = {}
    for name, graph in manifest.graphs.items():
        path = f"graphs/{name}.int8.ort.onnx"
        files[path] = bundle.graph(name, "fp32") + b"\x32\x04int8"  # field 6 of a ModelProto: its doc string
        graphs[name] = Graph(graph.inputs, graph.outputs, {**graph.files, "int8.ort": Variant(path, 1e-3)})
    return write_bundle(tmp_path / "quantised.zip", replace(manifest, graphs=graphs, files={}), files)


def int8(bundle: Bundle, name: str) -> bytes:
    return bundle.graph(name, "int8.ort")


def using(opened) -> Backend:
    return Backend("x", opened, ("ort",))


@pytest.fixture
def trust(tmp_path):
    return Trust(tmp_path / "cache", "a machine")


def test_the_best_precision_that_computes_rightly_is_taken(quantised, trust):
    loaded = load(quantised, "auto", using(Opened()), trust).loaded
    assert {(one.precision, one.fallback) for one in loaded.values()} == {("int8.ort", None)}


def test_a_graph_that_computes_wrongly_falls_back_and_says_so(quantised, trust):
    name = next(iter(quantised.manifest.graphs))
    loaded = load(quantised, "auto", using(Opened(wrong=[int8(quantised, name)])), trust).loaded
    others = {one.precision for other, one in loaded.items() if other != name}
    assert (loaded[name].precision, "is off by" in loaded[name].fallback, others) == ("fp32", True, {"int8.ort"})


def test_a_graph_that_does_not_load_falls_back_and_says_so(quantised, trust):
    name = next(iter(quantised.manifest.graphs))
    loaded = load(quantised, "auto", using(Opened(broken=[int8(quantised, name)])), trust).loaded
    assert (loaded[name].precision, "cannot be loaded" in loaded[name].fallback) == ("fp32", True)


def test_a_graph_that_no_form_computes_rightly_is_an_error(bundle, trust):
    name = next(iter(bundle.manifest.graphs))
    with pytest.raises(DeviceError, match=f"graph {name}: no form of it runs rightly"):
        load(bundle, "auto", using(Opened(wrong=[bundle.graph(name, "fp32")])), trust)


@pytest.fixture
def several(bundle, tmp_path):
    """The bundle with forms of its first graph for three runtimes."""
    manifest, files = bundle.manifest, {name: bundle.read(name) for name in bundle.manifest.files}
    name, graph = next(iter(manifest.graphs.items()))
    variants = dict(graph.files)
    for target in ("tensorrt", "ort7", "ort"):
        path = f"graphs/{name}.int8.{target}.onnx"
        files[path] = bundle.graph(name, "fp32") + b"\x32\x04" + target[-4:].rjust(4).encode()
        variants[f"int8.{target}"] = Variant(path, 1e-3)
    graphs = {**manifest.graphs, name: Graph(graph.inputs, graph.outputs, variants)}
    return name, write_bundle(tmp_path / "several.zip", replace(manifest, graphs=graphs, files={}), files)


@pytest.mark.parametrize(
    ("targets", "taken"),
    [(("ort", "ort7"), "int8.ort"), (("ort7",), "int8.ort7"), (("arm", "ort7"), "int8.ort7")],
)
def test_a_backend_takes_only_forms_that_are_for_it_and_its_best_first(several, trust, targets, taken):
    name, bundle = several
    loaded = load(bundle, "auto", Backend("x", Opened(), targets), trust).loaded
    assert (loaded[name].precision, loaded[name].fallback) == (taken, None)


def test_a_form_for_another_runtime_is_never_opened(several, trust):
    name, bundle = several
    broken = Opened(broken=[bundle.graph(name, "int8.tensorrt")])
    for precision in ("auto", "int8", "fp32", "fp16"):
        assert "tensorrt" not in str(load(bundle, precision, using(broken), trust).loaded[name])


def test_where_every_int8_form_is_for_something_else_the_fallback_says_so(several, trust):
    name, bundle = several
    loaded = load(bundle, "auto", Backend("x", Opened(), ("openvino",)), trust).loaded[name]
    assert loaded.precision == "fp32"
    assert loaded.fallback.endswith("for another runtime or processor, calibrate on this one")
    assert {*loaded.fallback.partition(": ")[0].split(", ")} == {"int8.ort", "int8.ort7", "int8.tensorrt"}
    assert load(bundle, "fp32", Backend("x", Opened(), ("openvino",)), trust).loaded[name].fallback is None


def test_float_is_taken_when_asked_for(quantised, trust):
    loaded = load(quantised, "fp32", using(Opened()), trust).loaded
    assert {one.precision for one in loaded.values()} == {"fp32"}


def test_golden_values_are_replayed_once_on_a_machine(bundle, trust):
    first, second = Opened(), Opened()
    load(bundle, "auto", using(first), trust)
    load(bundle, "auto", using(second), trust)
    assert (first.runs, second.runs) == (len(bundle.manifest.graphs), 0)


def test_another_machine_replays_again(bundle, trust):
    load(bundle, "auto", using(Opened()), trust)
    opened = Opened()
    load(bundle, "auto", using(opened), Trust(trust.folder, "another machine"))
    assert opened.runs == len(bundle.manifest.graphs)


def test_a_wrong_graph_stays_wrong_without_a_replay(quantised, trust):
    name = next(iter(quantised.manifest.graphs))
    load(quantised, "auto", using(Opened(wrong=[int8(quantised, name)])), trust)
    opened = Opened()
    assert load(quantised, "auto", using(opened), trust).loaded[name].precision == "fp32"
    assert opened.runs == 0


def test_a_damaged_memory_costs_a_replay(bundle, trust):
    load(bundle, "auto", using(Opened()), trust)
    for path in trust.folder.rglob("*.json"):
        path.write_text("{")
    opened = Opened()
    load(bundle, "auto", using(opened), trust)
    assert opened.runs == len(bundle.manifest.graphs)


def test_a_memory_that_cannot_be_written_is_no_obstacle(bundle, tmp_path):
    (tmp_path / "file").touch()
    load(bundle, "auto", using(Opened()), Trust(tmp_path / "file", "a machine"))


def test_an_unknown_precision_is_refused(bundle, trust):
    with pytest.raises(SettingError, match="int4"):
        load(bundle, "int4", using(Opened()), trust)


def test_the_json_form_tells_how_every_graph_runs(bundle, trust):
    facts = load(bundle, "auto", using(Opened()), trust).to_json()
    assert json.loads(json.dumps(facts)) == {
        name: {"precision": "fp32", "backend": "x", "fallback": None} for name in bundle.manifest.graphs
    }
