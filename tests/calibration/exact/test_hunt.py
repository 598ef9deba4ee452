"""What was known before is found by drawing, by its symptom alone."""

import logging

import pytest

from mmer.calibration.exact.hunt import FAILED, Hunt
from mmer.calibration.exact.reference import UnknownOperatorError
from mmer.calibration.exact.symptom import REFUSED, WRONG, ort_engines

FIRST, GRAPHS = 1364, 125
"""A part of the run of `benchmarks/disagreements.py` in which all four come up; the rarest, a file that cannot be read
again after `quant_pre_process`, takes some two thousand graphs."""


def findings(hunt, seed):
    try:
        return hunt.findings(seed)[1]
    except UnknownOperatorError:
        return []


@pytest.fixture(scope="module")
def found():
    """The hunt and what it found on ONNX Runtime."""
    pytest.importorskip("sympy")  # which quant_pre_process needs
    from exact.treatments import TREATMENTS

    hunt = Hunt(TREATMENTS, ort_engines())
    logging.disable(logging.CRITICAL)
    every = [finding for seed in range(FIRST, FIRST + GRAPHS) for finding in findings(hunt, seed)]
    logging.disable(logging.NOTSET)
    return hunt, every


@pytest.mark.filterwarnings("ignore")
def test_softmax_overflow_is_found_over_many_keys_and_over_one(found):
    hunt, every = found
    wrong = [f for f in every if f.symptom.kind == WRONG and f.symptom.engines == ("ort-extended", "ort-all")]
    titles = {hunt.minimal(finding).title for finding in wrong}
    assert "wrong (ort-extended, ort-all): Softmax" in titles
    assert "wrong (ort-extended, ort-all): Softmax over one" in titles


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_cannot_be_loaded_again_is_found(found):
    refused = [f for f in found[1] if f.symptom.kind == REFUSED and "replace the existing tensor" in f.symptom.message]
    assert {f.symptom.engines for f in refused} == {("ort-extended", "ort-all")}
    assert all("quant_pre_process" in f.treatment for f in refused)


@pytest.mark.filterwarnings("ignore")
def test_a_tool_that_contradicts_its_own_shapes_is_found(found):
    failed = [f for f in found[1] if f.symptom.kind == FAILED]
    assert any("existing shape differ" in f.symptom.message for f in failed)
