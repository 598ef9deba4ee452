import numpy as np
import onnx
import pytest

from mmer.calibration.judgement.check import centred_cosine, check
from mmer.edge.backends.ort import OrtSession
from mmer.edge.errors import DeviceError


@pytest.fixture
def scaled(build):
    """A graph that multiplies by a number, and one that adds one."""

    def make(factor, offset=0.0):
        builder = build()
        product = builder.node("Mul", "x", builder.constant(np.float32(factor)))
        builder.node("Add", product, builder.constant(np.float32(offset)), output="y")
        return builder.model({"x": [1, "T", 8]}, {"y": [1, "T", 8]}).SerializeToString()

    return make


def test_equal_graphs_agree(scaled, draw):
    found = check(scaled(2), scaled(2), draw(4, 1, None, 8))
    assert (found.cosine, found.levels, found.error) == (pytest.approx(1), pytest.approx(1), 0)
    assert found.fault(0.9999) is None


def test_a_wrong_graph_has_a_fault_that_names_its_cosine(scaled, draw):
    found = check(scaled(-1), scaled(1), draw(4, 1, None, 8))
    assert found.fault(0.99) == f"centred cosine {found.cosine:.4f}, 0.99 is needed"
    assert found.cosine < -0.8


def test_what_all_inputs_share_does_not_count():
    rng = np.random.default_rng(0)
    expected = (100 + rng.normal(0, 1, (50, 8))).astype("f4")
    other = (100 + rng.normal(0, 1, (50, 8))).astype("f4")
    assert centred_cosine(expected, other) < 0.3


def test_a_graph_that_does_not_load_has_a_fault(scaled, draw):
    model = onnx.load_from_string(scaled(1))
    model.graph.node[0].op_type = "NoSuchOperator"
    found = check(model.SerializeToString(), scaled(1), draw(2, 1, None, 8))
    assert "cannot load" in found.fault(0.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_agrees_with_nothing(value):
    expected = np.arange(8, dtype="f4").reshape(2, 4)
    assert centred_cosine(expected, np.full((2, 4), value, "f4")) == 0


def test_another_shape_agrees_with_nothing():
    assert centred_cosine(np.ones((2, 4), "f4"), np.ones((4, 4), "f4")) == 0


def test_rows_that_never_vary_agree_only_when_equal():
    same = np.ones((3, 4), "f4")
    assert centred_cosine(same, same) == 1
    assert centred_cosine(same, same + 1) == 0


@pytest.fixture
def opened(monkeypatch):
    """Sets what a file is run by."""

    def use(**openers):
        monkeypatch.setattr("mmer.calibration.judgement.check.engines", lambda: openers)

    return use


def refuse(_content):
    raise DeviceError("graph: cannot load it")


def off(content):
    class Off(OrtSession):
        def run(self, inputs):
            return {name: values[..., ::-1] for name, values in super().run(inputs).items()}

    return Off.open(content)


def test_a_file_that_loads_at_one_level_only_has_a_fault_that_names_the_other(scaled, draw, opened):
    opened(basic=OrtSession.open, extended=refuse)
    assert check(scaled(1), scaled(1), draw(2, 1, None, 8)).fault(0.0) == "extended: graph: cannot load it"


def test_two_engines_that_disagree_are_a_fault_that_names_them(scaled, draw, opened):
    opened(basic=OrtSession.open, extended=OrtSession.open, other=off)
    found = check(scaled(1), scaled(1), draw(4, 1, None, 8))
    assert found.levels < 0.9
    assert found.fault(0.0).startswith("basic and other disagree about it (cosine 0.")


def test_a_graph_computes_alike_in_all_that_is_installed(scaled, draw):
    assert check(scaled(3, 1), scaled(3, 1), draw(4, 1, None, 8)).levels == pytest.approx(1)
