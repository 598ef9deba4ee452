import sys

import pytest

from mmer.calibration.judgement import engines
from mmer.calibration.targets.targets import TARGETS
from mmer.edge.backends.ort import OrtSession
from mmer.edge.errors import MissingDependencyError


@pytest.fixture
def vnni(monkeypatch):
    class Cpu:
        features = ("avx2", "avx512_vnni")

    monkeypatch.setattr(engines, "processor", Cpu)


def test_a_file_is_judged_at_four_levels_and_in_openvino_where_it_is_installed(monkeypatch):
    levels = [f"ONNX Runtime at level {level}" for level in ("disabled", "basic", "extended", "all")]
    assert [*engines.engines()] == [*levels, *(["OpenVINO"] if engines.has_openvino() else [])]
    monkeypatch.setattr(engines, "has_openvino", lambda: False)
    assert [*engines.engines()] == levels


def test_asking_whether_openvino_is_there_does_not_load_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    engines.has_openvino()
    assert "openvino" not in sys.modules


def test_openvino_that_is_not_installed_is_an_error_that_names_the_extra(monkeypatch):
    monkeypatch.setattr(engines, "has_openvino", lambda: False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'mmer\[openvino\]'"):
        engines.openvino()


@pytest.mark.usefixtures("vnni")
@pytest.mark.parametrize(("target", "here"), [("ort", True), ("ort7", True), ("arm", False), ("tensorrt", False)])
def test_a_form_is_timed_only_where_it_is_at_home(target, here):
    recipe = TARGETS[target]
    assert engines.runs_here(recipe) == here
    assert (engines.own(recipe) == OrtSession.open) == here


@pytest.mark.skipif(not engines.has_openvino(), reason="OpenVINO is not installed")
def test_a_form_for_openvino_is_timed_there_and_not_run_by_mmer():
    recipe = TARGETS["openvino"]
    assert engines.own(recipe) not in (None, OrtSession.open)
    assert not engines.runs_here(recipe)
