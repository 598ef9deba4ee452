import subprocess
import sys

import numpy as np
import onnx
import pytest

from mmer.calibration.exact.hunt import Finding, Hunt, Treatment, TreatmentError
from mmer.calibration.exact.script import script
from mmer.calibration.exact.shrink import shrunk
from mmer.calibration.exact.symptom import REFUSED, WRONG, ort_engines, symptoms, unspecific


@pytest.fixture
def long(graph):
    """A graph of ten operators with a softmax that overflows in the middle."""
    rng = np.random.default_rng(0)
    x = "x"
    for _ in range(3):
        x = graph.node(
            "Tanh", graph.node("MatMul", x, graph.constant(f"w{x}", rng.normal(0, 0.1, (5, 5)).astype("f4")))
        )
    shares = graph.node("Softmax", graph.pair(x, 0.02, np.uint8(128)), axis=-1)
    levels = graph.pair(shares, 0.2 / 255, np.uint8(0))
    graph.node("Add", levels, graph.constant("b", rng.normal(0, 1, 5).astype("f4")), output="y")
    return graph.case({"x": rng.normal(0, 0.01, (3, 5)).astype("f4")})


def test_only_what_the_defect_takes_is_left(long):
    def fails(case):
        return any(s.kind == WRONG for s in symptoms(case.model, case.inputs, ort_engines()))

    small = shrunk(long, fails)
    assert [node.op_type for node in small.model.graph.node].count("Softmax") == 1
    assert len(small.model.graph.node) <= 4
    assert max(max(array.shape) for array in small.inputs.values()) == 2
    assert small.size < long.size / 2


def test_a_program_prints_what_was_expected_and_what_comes(long, tmp_path):
    path = tmp_path / "defect.py"
    path.write_text(script(long, "a softmax that overflows"), encoding="utf-8")
    said = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True).stdout
    expected, disabled, _, extended, *_ = said.splitlines()
    assert expected.startswith("expected y: [[")
    assert "DISABLE_ALL: [[[" in disabled
    assert disabled.split("[[[")[1] != extended.split("[[[")[1]


def test_two_messages_that_differ_in_names_and_sizes_are_one():
    first, second = (
        unspecific(f"/src/a.cc:{n} Node (add{n}) Op (Gemm) [ShapeInferenceError] dimension {n}: ({n}) vs (1{n})")
        for n in (3, 42)
    )
    assert first == second
    assert "ShapeInferenceError" in first


def test_what_a_tool_cannot_do_is_a_finding():
    def refuses(case, _rng):
        raise TreatmentError("tool", f"cannot read {len(case.model.graph.node)} nodes")

    hunt = Hunt(((Treatment("tool", refuses), 1.0),), ort_engines())
    treatment, (finding,) = hunt.findings(0)
    assert treatment == "tool"
    assert finding.title.startswith("tool fails (tool): tool: cannot read")


def test_a_tool_that_changes_what_is_computed_is_a_finding():
    def doubled(case, _rng):
        copy = onnx.ModelProto()
        copy.CopyFrom(case.model)
        name = copy.graph.output[0].name
        copy.graph.node[-1].output[0] = f"{name}.once"
        copy.graph.node.append(onnx.helper.make_node("Add", [f"{name}.once"] * 2, [name]))
        return copy

    hunt = Hunt(((Treatment("tool", doubled, preserving=True), 1.0),), ort_engines())
    kinds = {finding.symptom.kind for seed in range(3) for finding in hunt.findings(seed)[1]}
    assert "tool changes what is computed" in kinds


def test_a_file_that_every_engine_refuses_is_no_disagreement(graph):
    graph.node("Relu", "x", output="y")
    case = graph.case({"x": np.ones((2, 2), "f4")})
    case.model.ir_version = 1000
    assert symptoms(case.model, case.inputs, ort_engines()) == []


def test_engines_with_one_symptom_stand_together(long):
    (found,) = symptoms(long.model, long.inputs, ort_engines())
    assert (found.kind, found.engines) == (WRONG, ("ort-extended", "ort-all"))
    assert Finding(0, "Q/DQ", found, long).title == "wrong (ort-extended, ort-all): Add MatMul Softmax Tanh"
    assert found.kind != REFUSED
