"""What holds for the forms for all targets alike."""

import numpy as np
import onnx
import pytest

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.sites import PASSING
from mmer.calibration.judgement.check import check
from mmer.calibration.judgement.engines import has_openvino
from mmer.calibration.targets.targets import TARGETS, recipe_for, recipes_for
from mmer.edge.backends import targets
from mmer.edge.backends.ort import OPTIMISATION_LEVELS, OrtSession, OrtSettings
from mmer.edge.bundle.graph import PRECISION
from mmer.edge.errors import MissingDependencyError, SettingError

VNNI = ("avx2", "avx512f", "avx512_vnni")
FLOATING = {"LayerNormalization", "Gather", "Erf", "Tanh", "GRU"}


@pytest.fixture(params=TARGETS.values(), ids=lambda recipe: recipe.target)
def recipe(request):
    return request.param


@pytest.fixture
def sentence(build):
    """Embedded words, GELU, a recurrence and a norm, [1, L] to [L, 1, 1, 16]."""
    builder = build()
    rows = builder.node("Cast", "x", to=onnx.TensorProto.INT64)
    hidden = builder.linear(builder.node("Gather", builder.weight(50, 32, scale=1.0), rows), 32, 32)
    bent = builder.node("Mul", hidden, builder.node("Erf", hidden))
    ones, zeros = (builder.constant(np.full(32, value, "f4")) for value in (1, 0))
    normed = builder.node("LayerNormalization", bent, ones, zeros, axis=-1)
    steps = builder.node("Transpose", builder.linear(normed, 32, 32), perm=[1, 0, 2])
    memory, feedback = builder.weight(1, 48, 32, scale=0.2), builder.weight(1, 48, 16, scale=0.2)
    builder.nodes.append(onnx.helper.make_node("GRU", [steps, memory, feedback], ["r", ""], name="r", hidden_size=16))
    builder.node("Tanh", "r", output="y")
    return builder.model({"x": [1, "L"]}, {"y": ["L", 1, 1, 16]})


@pytest.fixture
def said():
    rng = np.random.default_rng(0)
    return [{"x": rng.integers(0, 50, (1, rng.integers(2, 12))).astype("f4")} for _ in range(32)]


def source(network, name):
    """Return the operator whose values a tensor holds."""
    while network.maker(name) in (*PASSING, "Cast"):
        name = network.producers[name].input[0]
    return network.maker(name)


def looked(content):
    return Network.of(onnx.load_from_string(content))


def test_a_transformer_agrees_in_every_engine(transformer, draw, quantise, recipe):
    content = quantise(transformer, draw(64, 1, None, 32), recipe)
    found = check(content, transformer.SerializeToString(), draw(8, 1, None, 32, seed=2))
    assert found.fault(0.995) is None
    assert found.levels > 0.9999


def test_convolutions_with_residuals_agree_in_every_engine(residual, draw, quantise, recipe):
    content = quantise(residual, draw(16, 2, 3, 24, 24), recipe)
    found = check(content, residual.SerializeToString(), draw(8, 2, 3, 24, 24, seed=2))
    assert found.fault(0.99) is None
    assert found.levels > 0.999


def test_a_layer_behind_a_mean_over_time_agrees_in_every_engine(build, draw, quantise, recipe):
    builder = build()
    mean = builder.node("ReduceMean", "x", builder.constant(np.array([1], "i8")), keepdims=0)
    builder.linear(builder.node("Tanh", builder.linear(mean, 32, 32)), 32, 16, output="y")
    model = builder.model({"x": [2, "T", 32]}, {"y": [2, 16]})
    found = check(
        quantise(model, draw(32, 2, None, 32), recipe), model.SerializeToString(), draw(8, 2, None, 32, seed=2)
    )
    assert found.fault(0.99) is None


@pytest.mark.parametrize("rows", [1, 4, 24])
def test_two_layers_of_one_size_agree_in_every_engine(build, draw, quantise, recipe, rows):
    builder = build()
    hidden = builder.node("Relu", builder.linear("x", 32, 64))
    builder.linear(hidden, 64, 32, output="y")
    model = builder.model({"x": [rows, 32]}, {"y": [rows, 32]})
    content = quantise(model, draw(48, rows, 32), recipe)
    found = check(content, model.SerializeToString(), draw(16, rows, 32, seed=2))
    assert found.fault(0.99) is None
    assert found.levels > 0.9999


def test_a_channel_that_multiplies_nothing_keeps_its_bias(build, draw, quantise, recipe):
    builder = build()
    weight, bias = (builder.rng.normal(0, scale, shape).astype("f4") for scale, shape in ((0.1, (32, 16, 3)), (1, 32)))
    weight[5], bias[5] = 1e-12 * weight[5], 3
    parts = builder.constant(weight), builder.constant(bias)
    builder.node("LeakyRelu", builder.node("Conv", "x", *parts, kernel_shape=[3], pads=[1, 1]), output="made")
    builder.node("Mul", "made", builder.constant(np.float32(1)), output="y")
    model = builder.model({"x": [1, 16, "T"]}, {"y": [1, 32, "T"]})
    content = quantise(model, draw(16, 1, 16, None), recipe)
    given = {"x": np.ones((1, 16, 8), "f4")}
    for level in OPTIMISATION_LEVELS:
        found = OrtSession.open(content, OrtSettings(optimisation=level)).run(given)["y"]
        np.testing.assert_allclose(found[0, 5], 3, atol=0.1)


def test_words_agree_in_every_engine(sentence, said, quantise, recipe):
    content = quantise(sentence, said[:24], recipe)
    assert check(content, sentence.SerializeToString(), said[24:]).fault(0.99) is None


def test_a_convolution_behind_a_concatenation_agrees_in_every_engine(build, draw, quantise, recipe):
    builder = build()
    parts = [builder.node(operator, "x") for operator in ("Tanh", "Sigmoid")]
    joined = builder.node("Concat", *parts, axis=1)
    hidden = builder.node("Conv", joined, builder.weight(32, 32, 3), kernel_shape=[3], pads=[1, 1])
    builder.node("Tanh", hidden, output="y")
    model = builder.model({"x": [1, 16, "T"]}, {"y": [1, 32, "T"]})
    content = quantise(model, draw(16, 1, 16, None), recipe)
    found = check(content, model.SerializeToString(), draw(8, 1, 16, None, seed=2))
    assert found.fault(0.999) is None
    assert found.levels > 0.9999


def test_what_is_delicate_neither_reads_nor_makes_levels(sentence, said, quantise, recipe):
    network = looked(quantise(sentence, said, recipe))
    found = [node for node in network.nodes if node.op_type in FLOATING]
    assert {node.op_type for node in found} == FLOATING
    assert "DequantizeLinear" not in {source(network, name) for node in found for name in node.input}


def test_no_softmax_touches_levels(transformer, draw, quantise, recipe):
    network = looked(quantise(transformer, draw(8, 1, None, 32), recipe))
    (softmax,) = (node for node in network.nodes if node.op_type == "Softmax")
    assert source(network, softmax.input[0]) != "DequantizeLinear"
    levels = [node for node in network.nodes if node.op_type == "QuantizeLinear"]
    assert "Softmax" not in {source(network, node.input[0]) for node in levels}


def test_no_residual_addition_of_a_transformer_is_put_on_levels(transformer, draw, quantise, recipe):
    network = looked(quantise(transformer, draw(8, 1, None, 32), recipe))
    sums = [node for node in network.nodes if node.op_type == "Add"]
    assert sums
    assert "DequantizeLinear" not in {source(network, name) for node in sums for name in node.input}


def test_layers_that_share_a_weight_go_on_sharing_it(build, draw, quantise, recipe):
    builder = build()
    shared = builder.weight(32, 32, name="shared")
    x = "x"
    for _ in range(2):
        x = builder.node("Add", x, builder.node("Tanh", builder.linear(x, 32, 32, shared)))
    builder.node("Mul", x, builder.constant(np.float32(1)), output="y")
    model = builder.model({"x": [1, "T", 32]}, {"y": [1, "T", 32]})
    network = looked(quantise(model, draw(8, 1, None, 32), recipe))
    matrices = [v for v in network.weights.values() if v.ndim == 2]
    assert [v.dtype.name for v in matrices] == ["int8"]


def test_equal_input_gives_equal_bytes(transformer, draw, quantise, recipe):
    assert quantise(transformer, draw(4, 1, 3, 32), recipe) == quantise(transformer, draw(4, 1, 3, 32), recipe)


def test_the_name_can_stand_in_a_manifest(recipe):
    assert PRECISION.fullmatch(recipe.name)


def test_the_recipe_can_be_written_down(recipe):
    assert recipe.to_json()["name"] == f"int8.{recipe.target}"


@pytest.mark.parametrize(
    ("features", "target"),
    [(VNNI, "ort"), (("asimd", "asimddp"), "arm"), (("asimd",), "arm"), (("avx2",), "ort7"), ((), "ort7")],
)
def test_the_processor_decides_which_form_is_the_usual_one(features, target):
    assert recipe_for(features).target == target
    assert [recipe.target for recipe in recipes_for((), features)] == [target]


def test_full_weights_are_never_for_a_processor_that_saturates():
    assert targets.ORT not in targets.ort_targets(("avx2", "avx512f"))


def test_forms_for_the_processor_come_before_others_and_each_once():
    named = recipes_for(("tensorrt", "ort7", "ort", "ort7"), VNNI)
    assert [recipe.target for recipe in named] == ["ort", "ort7", "tensorrt"]


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO is not installed")
def test_all_stands_for_every_target():
    assert {recipe.target for recipe in recipes_for(("all",), VNNI)} == {*TARGETS}


def test_an_unknown_target_is_refused():
    with pytest.raises(SettingError, match="'gpu', not one of ort, ort7, arm, tensorrt, openvino, all"):
        recipes_for(("gpu",), VNNI)


def test_a_form_that_only_openvino_can_judge_needs_openvino(monkeypatch):
    monkeypatch.setattr("mmer.calibration.judgement.engines.has_openvino", lambda: False)
    with pytest.raises(MissingDependencyError, match=r"mmer\[openvino\]"):
        recipes_for(("openvino",), VNNI)
