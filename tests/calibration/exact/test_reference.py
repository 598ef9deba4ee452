"""What a graph means: the standard's rounding, sums that are exact, and a radius that holds what is allowed."""

from fractions import Fraction

import numpy as np
import onnx
import pytest

from mmer.calibration.exact.reference import Reference, UnknownOperatorError
from mmer.calibration.exact.rules import suspects
from mmer.calibration.exact.symptom import COARSE, beyond, ort_engines, symptoms
from mmer.calibration.graph.network import Network
from mmer.calibration.targets.arm import ARM
from mmer.calibration.targets.ort import ORT

SHAPES = {"transformer": (1, None, 32), "convolutions": (2, 3, 24, 24)}


def made(case, tensor="y"):
    return Reference(case.model).run(case.inputs)[tensor]


@pytest.mark.parametrize(
    ("number", "level"),
    [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (200.0, 127), (-200.0, -128), (126.6, 127)],
)
def test_halves_go_to_the_even_level_and_ends_saturate(graph, number, level):
    graph.pair("x", 1.0, np.int8(0), output="y")
    assert made(graph.case({"x": np.full((1, 1), number, "f4")})).centre.item() == level


def test_levels_are_counted_from_the_zero_point_of_their_channel(graph):
    parts = graph.constant("s", np.float32([0.5, 2])), graph.constant("z", np.uint8([10, 20]))
    graph.node("DequantizeLinear", graph.constant("q", np.uint8([[12, 12], [20, 20]])), *parts, output="w", axis=1)
    graph.node("Add", "x", "w", output="y")
    assert made(graph.case({"x": np.zeros((2, 2), "f4")})).centre.tolist() == [[1, -16], [5, 0]]


def test_a_product_of_levels_is_the_exact_sum(graph):
    rng = np.random.default_rng(0)
    values = rng.integers(-127, 128, (500, 3))
    scales = np.float32([0.1, 1 / 3, 7e-5])
    x = rng.integers(0, 256, (2, 500))
    levels = graph.pair("x", 1 / 3, np.uint8(0))
    graph.node("MatMul", levels, graph.restored("w", values, scales, axis=1), output="y")
    step = Fraction(float(np.float32(1 / 3)))
    given = (x * np.float64(np.float32(1 / 3))).astype("f4")
    exact = [
        [int(total) * step * Fraction(float(s)) for total, s in zip(row, scales, strict=True)] for row in x @ values
    ]
    found = made(graph.case({"x": given})).centre
    assert np.allclose(found, np.array(exact, float), rtol=1e-15, atol=0)


def test_a_number_next_to_a_half_may_fall_to_either_side(graph):
    graph.pair("x", 0.1, np.uint8(0), output="y")
    found = made(graph.case({"x": np.float32([[0.25, 0.26]])}))
    near, far = found.radius[0]
    assert near == pytest.approx(0.1, rel=1e-3)
    assert far < 1e-5


def test_slack_allows_one_level_for_each_quantisation(graph):
    graph.pair("x", 0.1, np.uint8(0), output="y")
    case = graph.case({"x": np.float32([[0.26, 99]])})
    radius = Reference(case.model, slack=1).outputs(case.inputs)["y"].radius[0]
    assert radius[0] == pytest.approx(0.1, rel=1e-3)
    assert radius[1] < 0.11  # it lies at the end of the range, from where there is one way only


@pytest.mark.parametrize("operator", ["Relu", "Tanh", "Sigmoid", "Erf", "Exp", "Softmax", "LayerNormalization"])
def test_whatever_lies_within_the_radius_of_an_input_leads_into_that_of_the_output(graph, operator):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (4, 8)).astype("f4")
    levels = graph.pair("x", 0.05, np.uint8(128))
    gain = [graph.constant("g", rng.normal(0, 1, 8).astype("f4"))] if operator == "LayerNormalization" else []
    graph.node(operator, levels, *gain, output="y")
    case = graph.case({"x": x})
    wide = Reference(case.model, slack=1).outputs(case.inputs)["y"]
    for _ in range(20):
        moved = x + rng.choice([-0.05, 0, 0.05], x.shape).astype("f4")  # one level up or down
        other = Reference(case.model).outputs({"x": moved})["y"]
        assert np.all(np.abs(other.centre - wide.centre) <= wide.radius + 1e-9)


def test_an_operator_without_a_rule_is_named(graph):
    graph.node("Celu", "x", output="y")
    with pytest.raises(UnknownOperatorError, match="Celu"):
        made(graph.case({"x": np.ones((1, 1), "f4")}))


def test_dynamic_levels_take_their_scale_from_the_tensor(graph):
    graph.nodes.append(onnx.helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]))
    graph.node("DequantizeLinear", "q", "s", "z", output="y")
    found = made(graph.case({"x": np.float32([[-1, 0, 1.55]])}))
    assert np.allclose(found.centre, [[-1, 0, 1.55]], atol=0.006)


def test_a_wrong_number_and_a_wrong_shape_are_beyond_rounding(graph):
    graph.node("Relu", "x", output="y")
    expected = {"y": made(graph.case({"x": np.ones((1, 2), "f4")}))}
    assert not beyond(expected, {"y": np.ones((1, 2), "f4")})
    assert beyond(expected, {"y": np.float32([[1, 1.0001]])})
    assert beyond(expected, {"y": np.ones((2, 1), "f4")})
    assert beyond(expected, {"y": np.float32([[1, np.nan]])})


@pytest.mark.parametrize("recipe", [ORT, ARM], ids=lambda recipe: recipe.target)
@pytest.mark.parametrize("kind", SHAPES)
def test_what_is_emitted_means_what_every_level_computes_and_holds_nothing_suspect(
    kind, recipe, draw, quantise, request
):
    inputs = draw(4, *SHAPES[kind])
    written = onnx.load_from_string(quantise(request.getfixturevalue(kind), inputs, recipe))
    assert any(node.op_type == "QuantizeLinear" for node in Network.of(written).nodes)
    assert suspects(written) == []
    for given in inputs[:2]:
        assert {s.kind for s in symptoms(written, given, ort_engines())} <= {COARSE}


def test_a_share_of_nothing_may_be_anything_where_its_logit_may_be(graph):
    big = graph.node("Mul", graph.pair("x", 1e6, np.uint8(0)), graph.constant("m", np.float32([[1, -1]])))
    graph.node("Softmax", big, output="y")
    case = graph.case({"x": np.float32([[1e7, 1e7]])})
    found = Reference(case.model, slack=1).outputs(case.inputs)["y"]
    assert found.centre.tolist() == [[1, 0]]
    assert np.all(found.radius >= 1)
