"""A model that hears how loud a clip is, with a wrong INT8 form of its last graph, and clips as loud as their label."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import soundfile
from onnx import helper, numpy_helper

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bench.bench import bench
from mmer.edge.bench.contender import contenders
from mmer.edge.bench.judges import Judges
from mmer.edge.bench.settings import BenchSettings
from mmer.edge.bundle import golden
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Head, Inputs, Manifest
from mmer.edge.bundle.paths import golden_path
from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.inputs.audio import AudioInput

FLOAT = onnx.TensorProto.FLOAT
LEVELS = {"neutral": 0.05, "happy": 0.3, "sad": 0.8}
PLAN = Plan.checked(
    (Source("samples", "audio", "window", least=800),),
    (
        Stage("level", "level", "window", ("samples",), ("loudness",), ("audio",)),
        Stage("votes", "votes", "window", ("loudness",), ("logits",)),
    ),
)


def graph(nodes, given, made, **constants):
    infos = [[helper.make_tensor_value_info(*name_and_shape) for name_and_shape in [side]] for side in (given, made)]
    arrays = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    made = helper.make_graph([helper.make_node(*node[:3], **node[3]) for node in nodes], "g", *infos, arrays)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(made, opset_imports=opset, ir_version=10).SerializeToString()


def level():
    """The mean size of the samples."""
    nodes = (("Abs", ["samples"], ["size"], {}), ("ReduceMean", ["size", "one"], ["loudness"], {"keepdims": 1}))
    return graph(nodes, ("samples", FLOAT, [1, "S"]), ("loudness", FLOAT, [1, 1]), one=np.array([1]))


def votes(order=(0, 1, 2)):
    """The level whose line is highest; another order of the labels makes every answer another one."""
    w, b = np.array([[-80, 0, 80]], "f4"), np.array([0, -5.5, -35], "f4")
    nodes = (("MatMul", ["loudness", "w"], ["lines"], {}), ("Add", ["lines", "b"], ["logits"], {}))
    given, made = ("loudness", FLOAT, [1, 1]), ("logits", FLOAT, [1, 3])
    return graph(nodes, given, made, w=w[:, order], b=b[list(order)])


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def manifest(**wrong):
    graphs = {}
    for name, content in (("level", level()), ("votes", votes())):
        session = OrtSession.open(content)
        files = {"fp32": Variant(f"graphs/{name}.fp32.onnx", 1e-3), **wrong.get(name, {})}
        graphs[name] = Graph(session.inputs, session.outputs, files)
    heard = Inputs(audio=AudioInput(rate_hz=8000, max_samples=32_000))
    return Manifest("loud", "cafes", "tiny", Head(tuple(LEVELS)), heard, PLAN, graphs)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """Float, and an INT8 form of `votes` that mixes up the labels and is trusted all the same."""
    given = {"level": {"samples": np.full((1, 900), 0.3, "f4")}, "votes": {"loudness": np.full((1, 1), 0.2, "f4")}}
    files = {"graphs/level.fp32.onnx": level(), "graphs/votes.fp32.onnx": votes()}
    for name, inputs in given.items():
        outputs = OrtSession.open(files[f"graphs/{name}.fp32.onnx"]).run(inputs)
        files[golden_path(name)] = golden.encode([golden.Case(inputs, outputs)])
    files["graphs/votes.int8.ort.onnx"] = votes(order=(1, 2, 0))
    wrong = {"votes": {"int8.ort": Variant("graphs/votes.int8.ort.onnx", 1.0)}}
    return write_bundle(tmp_path_factory.mktemp("bundle") / "loud", manifest(**wrong), files)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Two people in the split `test`, two clips of 5 s for each label, one of them too short to be heard."""
    folder, rng, entries = tmp_path_factory.mktemp("clips"), np.random.default_rng(0), []
    for number, label in enumerate([*LEVELS] * 4):
        path, speaker = folder / f"{number}.wav", "ab"[number % 2]
        soundfile.write(path, np.clip(rng.normal(0, LEVELS[label], 40_000), -1, 1), 8000)
        entries.append(Entry(path, label, "test", speaker))
    soundfile.write(folder / "short.wav", np.full(80, 0.1), 8000)
    return Corpus((*entries, Entry(folder / "short.wav", "sad", "test", "a")))


@pytest.fixture(scope="session")
def measure(bundle):
    """Measures a corpus with what is quick; settings can be changed."""

    def measured(corpus, whole=None, provenance=None, **settings):
        usual = replace(BenchSettings(seconds=0, starts=0), **settings)
        judges = Judges(corpus, whole or corpus, provenance or {})
        return bench(bundle, contenders(bundle, 1), judges, usual, lambda *_: None)

    return measured


@pytest.fixture(scope="session")
def measured(measure, corpus):
    """Everything, as briefly as it goes."""
    return measure(corpus, seconds=0.01, starts=1)
