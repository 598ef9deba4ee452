"""The page on runtime defects runs as it stands, and prints what it says."""

import contextlib
import io
import re
from pathlib import Path

import onnxruntime
import pytest

from mmer.calibration.exact.rules import OPENVINO, ORT

PAGE = (Path(__file__).parents[3] / "docs" / "runtime-defects.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", PAGE, re.DOTALL)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_page_prints_what_it_says(tmp_path, monkeypatch):
    openvino = pytest.importorskip("openvino")
    if (onnxruntime.__version__, openvino.__version__.split("-")[0]) != tuple(
        runtime.split(" ")[1] for runtime in (ORT, OPENVINO)
    ):
        pytest.skip("the page speaks of other versions")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code, expected in BLOCKS:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(code, "runtime-defects.md", "exec"), names)
        assert [line.rstrip() for line in said.getvalue().splitlines()] == [
            line.rstrip() for line in expected.splitlines()
        ]


def test_every_rule_has_a_section():
    from mmer.calibration.exact import rules

    for rule, _ in rules._RULES:
        assert f"Rule `{rule.__name__.replace('_', '-')}`" in PAGE
