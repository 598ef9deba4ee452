"""Small graphs, a bundle of three of them and a corpus, all made by code."""

from dataclasses import dataclass, field

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mmer.calibration.emit import Basis, emitted
from mmer.calibration.fp16 import ELEMENTWISE, peaks
from mmer.calibration.graph.prepare import prepared
from mmer.calibration.graph.sites import sites
from mmer.calibration.observation.observe import observe
from mmer.calibration.targets.ort import ORT7
from mmer.calibration.weights.rounding import levels_of
from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import golden
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.manifest import Head, Inputs, Manifest
from mmer.edge.bundle.paths import golden_path
from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.corpus import Corpus
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.video import VideoInput

FLOAT = onnx.TensorProto.FLOAT


@dataclass
class Builder:
    """An ONNX graph that is put together node by node."""

    seed: int = 0
    nodes: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)

    def weight(self, *shape, scale=None, name=None):
        array = self.rng.normal(0, scale or np.prod(shape[:-1]) ** -0.5, shape)
        return self.constant(array.astype("f4"), name)

    def constant(self, array, name=None):
        name = name or f"w{len(self.weights)}"
        self.weights[name] = np.asarray(array)
        return name

    def node(self, operator, *inputs, output=None, **attributes):
        output = output or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def linear(self, x, rows, columns, weight=None, output=None):
        product = self.node("MatMul", x, weight or self.weight(rows, columns))
        return self.node("Add", product, self.weight(columns, scale=0.2), output=output)

    def model(self, inputs, outputs, domains=()):
        graph = helper.make_graph(
            self.nodes,
            "g",
            [helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in inputs.items()],
            [helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(domain, 1) for domain in domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model


@pytest.fixture
def build():
    return Builder


def attention(builder, x, width):
    """Self-attention over [1, T, width], with the residual and the norm behind it."""
    q, k, v = (builder.linear(x, width, width) for _ in range(3))
    small = builder.constant(np.float32(0.02))  # nearly the same weight for every key
    scores = builder.node("Mul", builder.node("MatMul", q, builder.node("Transpose", k, perm=[0, 2, 1])), small)
    shares = builder.node("Softmax", scores, axis=-1)
    out = builder.linear(builder.node("MatMul", shares, v), width, width)
    total = builder.node("Add", x, out)
    ones, zeros = builder.constant(np.ones(width, "f4")), builder.constant(np.zeros(width, "f4"))
    return builder.node("LayerNormalization", total, ones, zeros, axis=-1)


@pytest.fixture
def transformer(build):
    """A layer of attention with a feed-forward part, [1, T, 32] to [1, T, 32]."""
    builder = build()
    y = attention(builder, "x", 32)
    hidden = builder.node("Relu", builder.linear(y, 32, 64))
    builder.node("Add", y, builder.linear(hidden, 64, 32), output="y")
    return builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})


@pytest.fixture
def convolutions(build):
    """Three convolutions with pools and rectifiers, [N, 3, 24, 24] to [N, 16, 6, 6]."""
    builder = build()
    x = "x"
    for number, (given, made) in enumerate(((3, 16), (16, 32), (32, 16))):
        weight = builder.constant(builder.rng.normal(0, (given * 9) ** -0.5, (made, given, 3, 3)).astype("f4"))
        bias = builder.weight(made, scale=0.1)
        x = builder.node("Conv", x, weight, bias, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        x = builder.node("LeakyRelu" if number == 1 else "Relu", x)
        if number < 2:
            x = builder.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    builder.node("Mul", x, builder.constant(np.float32(1)), output="y")
    return builder.model({"x": ["N", 3, 24, 24]}, {"y": ["N", 16, 6, 6]})


def convolved(builder, x, given, made, kernel=3):
    weight = builder.constant(
        builder.rng.normal(0, (given * kernel * kernel) ** -0.5, (made, given, kernel, kernel)).astype("f4")
    )
    pads = [kernel // 2] * 4
    return builder.node("Conv", x, weight, builder.weight(made, scale=0.1), kernel_shape=[kernel, kernel], pads=pads)


@pytest.fixture
def residual(build):
    """Two blocks of convolutions with what goes past them added, [N, 3, 24, 24] to [N, 16]."""
    builder = build()
    stem = builder.node("Relu", convolved(builder, "x", 3, 16))
    x = builder.node("MaxPool", stem, kernel_shape=[2, 2], strides=[2, 2])
    inner = builder.node("Relu", convolved(builder, x, 16, 32))
    x = builder.node("Relu", builder.node("Add", convolved(builder, inner, 32, 16), x))
    past = convolved(builder, x, 16, 16, kernel=1)
    x = builder.node("Relu", builder.node("Add", past, convolved(builder, x, 16, 16)))
    builder.node("Flatten", builder.node("GlobalAveragePool", x), output="y")
    return builder.model({"x": ["N", 3, 24, 24]}, {"y": ["N", 16]})


@pytest.fixture
def quantise():
    """Writes a model in INT8 as a recipe says, every layer of it that the recipe takes."""

    def quantised(model, inputs, recipe=ORT7):
        network = prepared(model)
        every = sites(network)
        levels = {recipe.weight_bits: levels_of(network, every, lambda: inputs, recipe.weight_bits)}
        seen = peaks(network, ELEMENTWISE, lambda: inputs)
        basis = Basis(network, observe(network, lambda: inputs), levels, seen)
        return emitted(basis, recipe.sites(network), recipe)

    return quantised


@pytest.fixture
def draw():
    """Inputs `x` whose free sizes are drawn anew for each."""

    def drawn(count, *shape, seed=1):
        rng = np.random.default_rng(seed)
        sizes = [[rng.integers(1, 9) if n is None else n for n in shape] for _ in range(count)]
        return [{"x": rng.normal(0.3, 1, size).astype("f4")} for size in sizes]

    return drawn


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Two people in the split `train`, four clips of 2 s each, and two in the others."""
    from mmer.data.synth.corpus import make_corpus
    from mmer.data.synth.recipe import SynthRecipe

    recipe = SynthRecipe(
        speakers=4, clips_per_class=2, labels=("neutral", "happy"), length_s=2.0, width=160, height=120, rate_hz=10
    )
    return Corpus.read([make_corpus(recipe, tmp_path_factory.mktemp("synth") / "corpus")])


def faces():
    builder = Builder(1)
    conv = builder.node("Conv", "crops", builder.weight(16, 3, 8, 8, scale=0.1), builder.weight(16), strides=[8, 8])
    builder.node("Flatten", builder.node("Relu", conv), output="features")
    return builder.model({"crops": ["N", 3, 48, 48]}, {"features": ["N", 576]})


def sequence():
    builder = Builder(2)
    hidden = builder.node("Relu", builder.linear("features", 576, 64))
    builder.node("Tanh", builder.linear(hidden, 64, 32), output="video")
    return builder.model({"features": [1, "T", 576]}, {"video": [1, "T", 32]})


def votes():
    builder = Builder(3)
    mean = builder.node("ReduceMean", "video", builder.constant(np.array([1], "i8")), keepdims=0)
    loud = builder.node("ReduceL2", "samples", builder.constant(np.array([1], "i8")), keepdims=1)
    builder.node("Add", builder.node("MatMul", mean, builder.weight(32, 3)), loud, output="logits")
    return builder.model({"video": [1, "T", 32], "samples": [1, "S"]}, {"logits": [1, 3]})


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """A model that looks and listens."""
    models = {"faces": faces(), "sequence": sequence(), "votes": votes()}
    graphs, files = {}, {}
    for name, model in models.items():
        content = model.SerializeToString()
        session = OrtSession.open(content)
        rng = np.random.default_rng(0)
        sizes = [[d if isinstance(d, int) else 4 for d in spec.shape] for spec in session.inputs]
        given = {s.name: rng.normal(0, 1, size).astype("f4") for s, size in zip(session.inputs, sizes, strict=True)}
        path = f"graphs/{name}.fp32.onnx"
        files |= {path: content, golden_path(name): golden.encode([golden.Case(given, session.run(given))])}
        graphs[name] = Graph(session.inputs, session.outputs, {"fp32": Variant(path, 1e-3)})
    sources = Source("crops", "video", "frame"), Source("samples", "audio", "window")
    stages = (
        Stage("faces", "faces", "frame", ("crops",), ("features",), ("video",)),
        Stage("sequence", "sequence", "window", ("features",), ("video",), ("video",)),
        Stage("votes", "votes", "window", ("video", "samples"), ("logits",), ("audio",)),
    )
    labels = Head(("neutral", "happy", "sad"))
    inputs = Inputs(VideoInput(), AudioInput())
    plan = Plan.checked(sources, stages)
    manifest = Manifest("toy", "cafes", "tiny", labels, inputs, plan, graphs, metrics={"notice": "a toy"})
    return write_bundle(tmp_path_factory.mktemp("bundle") / "toy", manifest, files)
