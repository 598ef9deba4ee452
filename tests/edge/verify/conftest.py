"""A model that hears how loud a clip is, with an INT8 form that takes loud for louder, and clips of known levels."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import soundfile
from onnx import helper, numpy_helper

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import golden
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Head, Inputs, Manifest
from mmer.edge.bundle.paths import golden_outputs_path, golden_path
from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.bundle.writer import write_bundle
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
GIVEN = {"level": {"samples": np.full((1, 900), 0.3, "f4")}, "votes": {"loudness": np.full((1, 1), 0.2, "f4")}}


def graph(nodes, given, made, **constants):
    infos = [[helper.make_tensor_value_info(*side)] for side in (given, made)]
    arrays = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    made = helper.make_graph([helper.make_node(*node[:3], **node[3]) for node in nodes], "g", *infos, arrays)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(made, opset_imports=opset, ir_version=10).SerializeToString()


def loudness(factor=1.0):
    """The mean size of the samples, times a factor."""
    nodes = (
        ("Abs", ["samples"], ["size"], {}),
        ("ReduceMean", ["size", "one"], ["mean"], {"keepdims": 1}),
        ("Mul", ["mean", "factor"], ["loudness"], {}),
    )
    given, made = ("samples", FLOAT, [1, "S"]), ("loudness", FLOAT, [1, 1])
    return graph(nodes, given, made, one=np.array([1]), factor=np.float32(factor))


def votes(order=(0, 1, 2)):
    """The level whose line is highest; another order of the labels mixes them up."""
    w, b = np.array([[-80, 0, 80]], "f4"), np.array([0, -5.5, -35], "f4")
    nodes = (("MatMul", ["loudness", "w"], ["lines"], {}), ("Add", ["lines", "b"], ["logits"], {}))
    given, made = ("loudness", FLOAT, [1, 1]), ("logits", FLOAT, [1, 3])
    return graph(nodes, given, made, w=w[:, order], b=b[list(order)])


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def level():
    """Make the graph `level`, whose answer is this many times too large."""
    return loudness


@pytest.fixture(scope="session")
def make_bundle():
    """Write a bundle with these further forms, each trusted whatever it computes."""

    def made(path, **others):
        graphs, files = {}, {}
        for name, exact in (("level", loudness()), ("votes", votes())):
            forms = {"fp32": exact, **others.get(name, {})}
            session = OrtSession.open(exact)
            variants = {form: Variant(f"graphs/{name}.{form}.onnx", 1e-3) for form in forms}
            graphs[name] = Graph(session.inputs, session.outputs, variants)
            for form, content in forms.items():
                files[variants[form].path] = content
                case = golden.Case(GIVEN[name] if form == "fp32" else {}, OrtSession.open(content).run(GIVEN[name]))
                own = golden_path(name) if form == "fp32" else golden_outputs_path(name, form)
                files[own] = golden.encode([case])
        heard = Inputs(audio=AudioInput(rate_hz=8000, max_samples=32_000))
        manifest = Manifest("loud", "cafes", "tiny", Head(tuple(LEVELS)), heard, PLAN, graphs, metrics={"uar": 1.0})
        return write_bundle(path, replace(manifest, provenance={"seed": 1}), files)

    return made


@pytest.fixture(scope="session")
def quantised():
    """A level that is off by little, votes that take happy for sad and sad for happy, and votes that are right."""
    mixed = votes((0, 2, 1))
    return {"level": {"int8.ort": loudness(1.001)}, "votes": {"int8.ort": mixed, "int8.ort7": votes()}}


@pytest.fixture(scope="session")
def bundle(make_bundle, quantised, tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("bundle") / "loud", **quantised)


@pytest.fixture(scope="session")
def sound():
    """Write noise of a level."""

    def written(path, loudness, length_s=1.0):
        rng = np.random.default_rng(int(loudness * 1000))
        samples = loudness * np.sign(rng.normal(size=round(8000 * length_s)))
        soundfile.write(path, samples.astype("f4"), 8000)
        return path

    return written


@pytest.fixture(scope="session")
def folder(sound, tmp_path_factory):
    """Four clips of each level, 1 s long; happy ones are the nearest to another label."""
    place = tmp_path_factory.mktemp("clips")
    for label, loudness in LEVELS.items():
        for number in range(4):
            sound(place / f"{label}{number}.wav", loudness * (1 + number / 50))
    return place
