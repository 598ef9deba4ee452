"""The smallest graphs that show each known defect, and what they look like where nothing is wrong."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mmer.calibration.exact.case import Case

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))


@dataclass
class Graph:
    """Nodes and constants with Q/DQ at hand."""

    nodes: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)

    def constant(self, name, array):
        self.weights[name] = np.asarray(array)
        return name

    def node(self, operator, *inputs, output=None, **attributes):
        output = output or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def pair(self, tensor, scale, zero, output=None):
        parts = (
            self.constant(f"{tensor}.scale", np.asarray(scale, "f4")),
            self.constant(f"{tensor}.zero", np.asarray(zero)),
        )
        levels = self.node("QuantizeLinear", tensor, *parts)
        return self.node("DequantizeLinear", levels, *parts, output=output)

    def restored(self, name, values, scale, **attributes):
        parts = (
            self.constant(f"{name}.values", np.asarray(values, "i1")),
            self.constant(f"{name}.scale", np.asarray(scale, "f4")),
        )
        return self.node("DequantizeLinear", *parts, output=name, **attributes)

    def case(self, inputs, output="y", rank=2, notes=None, opset=21):
        described = {name: array.shape for name, array in inputs.items()}
        free = {output: [f"{output}.{axis}" for axis in range(rank)]}
        given, made, inside = (
            [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in part.items()]
            for part in (described, free, notes or {})
        )
        graph = helper.make_graph(
            self.nodes, "g", given, made, [numpy_helper.from_array(a, n) for n, a in self.weights.items()]
        )
        graph.value_info.extend(inside)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        return Case(model, inputs)


@pytest.fixture
def graph():
    return Graph()


def quantised_softmax(scale=0.125 / 255, keys=8):
    graph = Graph()
    shares = graph.node("Softmax", graph.pair("x", 0.02, np.uint8(128)), axis=-1)
    graph.pair(shares, scale, np.uint8(0), output="y")
    return graph.case({"x": np.zeros((4, keys), "f4")})


def one_key(scale=1 / 256):
    return quantised_softmax(scale, keys=1)


def names_taken(name="gemm_output_shape"):
    graph = Graph()
    wide = graph.node("Reshape", "x", graph.constant(name, np.array([1, 2, 2])))
    product = graph.node("MatMul", graph.node("Tanh", wide), graph.constant("w", np.eye(2, dtype="f4")))
    graph.node("Add", product, graph.constant("b", np.ones(2, "f4")), output="y")
    return graph.case({"x": np.ones((2, 2), "f4")}, rank=3)


def stale_shapes(width=3):
    graph = Graph()
    product = graph.node("Gemm", "x", graph.constant("w", np.ones((3, 2), "f4")), transB=1, output="h")
    graph.node("Relu", product, output="y")
    return graph.case({"x": np.ones((4, 2), "f4")}, notes={"h": (5, width)} if width != 3 else {"h": (4, 3)})


def long_bias(scale=1e-6):
    graph = Graph()
    weight = graph.constant("w", np.full((2, 2, 1, 1), 2e-3, "f4"))
    made = graph.node("Conv", graph.pair("x", scale, np.uint8(0)), weight, graph.constant("b", np.ones(2, "f4")))
    graph.pair(made, 0.01, np.uint8(0), output="y")
    return graph.case({"x": np.ones((1, 2, 2, 2), "f4")}, rank=4)


def listed_scale(scale=(1.0,)):
    graph = Graph()
    zero = np.uint8([0]) if scale else np.uint8(0)
    scale = scale or 1.0
    total = graph.node("Add", graph.pair("a", scale, zero), graph.pair("b", scale, zero))
    graph.pair(total, scale, zero, output="y")
    return graph.case({name: np.ones((2, 2), "f4") for name in "ab"})


def signed_levels_moved(opset=21):
    graph = Graph()
    graph.node("Transpose", graph.pair("x", 0.5, np.int8(0)), perm=[1, 0], output="y")
    return graph.case({"x": np.ones((2, 3), "f4")}, opset=opset)


def weight_only(quantised=False):
    graph = Graph()
    given = graph.pair("x", 0.01, np.int8(0)) if quantised else "x"
    graph.node("MatMul", given, graph.restored("w", [[1, -1], [-1, 1]], np.ones(2), axis=1), output="y")
    return graph.case({"x": np.float32([[-0.09, -0.2], [0.2, 0.04]])})


def mean_over_time(batch=2):
    graph = Graph()
    graph.node("ReduceMean", graph.pair("x", 0.02, np.uint8(128)), graph.constant("a", np.array([1])), output="y")
    return graph.case({"x": np.full((batch, 2, 2), -1, "f4")}, rank=3)


def mean_taken_off(held=False):
    graph, rng = Graph(), np.random.default_rng(0)
    mean = graph.node("ReduceMean", "x", graph.constant("a", np.array([1])), keepdims=0)
    centred = graph.node("Sub", mean, graph.constant("m", rng.normal(0, 1, 8).astype("f4")))
    if held:
        centred = graph.node("Max", centred, graph.constant("least", np.float32(-1.28)))
    graph.pair(centred, 0.01, np.uint8(128), output="y")
    return graph.case({"x": rng.normal(0, 0.5, (2, 4, 8)).astype("f4")})


def mean_between_layers(held=False):
    graph = Graph()
    weights = [graph.restored(name, 100 * np.eye(4), np.full(4, 0.01), axis=1) for name in ("v", "w")]
    made = graph.node("Relu", graph.node("Gemm", graph.pair("x", 0.1, np.uint8(128)), weights[0]))
    centred = graph.node("Sub", made, graph.constant("m", np.float32([1, 2, 3, 4])))
    if held:
        centred = graph.node("Max", centred, graph.constant("least", np.float32(-12.8)))
    graph.node("Gemm", graph.pair(centred, 0.1, np.uint8(128)), weights[1], output="y")
    return graph.case({"x": np.float32([[1, -1, 2, -2]])})


def joined_for_convolution(joined=True):
    graph, rng = Graph(), np.random.default_rng(0)
    both = graph.node("Concat", "a", "b", axis=1) if joined else graph.node("Add", "a", "b")
    channels = 2 if joined else 1
    weight = graph.restored("w", rng.integers(-127, 127, (2, channels, 3, 3)), np.full(2, 0.01), axis=0)
    levels = graph.pair(both, 0.02, np.int8(0))
    graph.node("Conv", levels, weight, kernel_shape=[3, 3], pads=[1, 1, 1, 1], output="y")
    return graph.case({name: rng.normal(0, 1, (2, 1, 3, 3)).astype("f4") for name in "ab"}, rank=4)


def quantised_constant(through=True):
    graph = Graph()
    constant = graph.constant("c", np.ones(2, "f4"))
    added = graph.pair(constant, 1.0, np.int8(0)) if through else constant
    graph.node("Add", graph.pair("x", 1.0, np.int8(0)), added, output="y")
    return graph.case({"x": np.ones((2, 2, 2), "f4")}, rank=3)


def sixteen_bits(kind=np.uint16):
    graph = Graph()
    graph.pair(graph.node("Sigmoid", "x"), 0.5 / np.iinfo(kind).max, kind(0), output="y")
    return graph.case({"x": np.ones((2, 2), "f4")})


DEFECTS = {
    "quantised-softmax": (quantised_softmax, (1 / 256,), "ort-all"),
    "quantised-softmax over one key": (one_key, (1.0,), "ort-all"),
    "names-taken": (names_taken, ("other",), "ort-extended"),
    "long-bias": (long_bias, (0.01,), "ort-basic"),
    "listed-scale": (listed_scale, ((),), "ort-extended"),
    "signed-levels-moved": (signed_levels_moved, (20,), "ort-extended"),
    "weight-only": (weight_only, (True,), "ort-extended"),
    "mean-over-time": (mean_over_time, (1,), "openvino"),
    "mean-taken-off": (mean_taken_off, (True,), "openvino"),
    "mean-between-layers": (mean_between_layers, (True,), "openvino"),
    "joined-for-convolution": (joined_for_convolution, (False,), "openvino"),
    "quantised-constant": (quantised_constant, (False,), "openvino"),
    "sixteen-bits": (sixteen_bits, (np.uint8,), "openvino"),
}
"""By rule: what makes the graph, with which arguments it is sound, and an engine that gets it wrong."""


@pytest.fixture(params=DEFECTS)
def defect(request):
    """A rule, a graph with the defect, one without it, and the engine."""
    make, sound, engine = DEFECTS[request.param]
    return request.param.split(" ")[0], make(), make(*sound), engine


@pytest.fixture
def stale():
    """A graph that states inner shapes which it does not have, and one that states those it has."""
    return stale_shapes(width=7), stale_shapes()
