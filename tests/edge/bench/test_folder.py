"""An evaluation as files says what the evaluation says."""

import json
import sys

import cv2
import numpy as np
import pytest

from mmer.edge.bench.folder import CLASSES, CONFUSION, SUMMARY, TABLE, table_lines, write_evaluation
from mmer.edge.bench.judged import Judged, judge
from mmer.edge.errors import MissingDependencyError, SettingError

LABELS = ("happy", "sad", "anger")
TRUTH = np.array([0, 0, 1, 1, 0, 1])
FOUND = judge(Judged(TRUTH, np.eye(3)[[0, 1, 1, 1, 0, 1]], ["a", "a", "a", "b", "b", "b"]), LABELS)


def test_the_table_has_a_row_for_each_class_and_a_dash_for_what_cannot_be_had():
    rows = {line.split()[0]: line.split() for line in table_lines(FOUND) if line.strip()}
    assert rows["happy"] == ["happy", "1.000", "0.667", "0.800", "0.833", "3"]
    assert rows["anger"] == ["anger", "0.000", "0.000", "0.000", "-", "0"]


def test_the_table_names_both_intervals():
    line = next(line for line in table_lines(FOUND) if line.startswith("uar"))
    assert "within speakers" in line
    assert "across speakers" in line


def test_the_table_has_no_interval_across_a_single_speaker():
    alone = judge(Judged(TRUTH, np.eye(3)[TRUTH], ["a"] * 6), LABELS)
    assert not any("across" in line for line in table_lines(alone))


def test_a_folder_holds_the_summary_the_table_and_two_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    write_evaluation(tmp_path / "found", FOUND, {"schema": "mmer.eval/1"})
    assert {path.name for path in (tmp_path / "found").iterdir()} == {SUMMARY, TABLE, CONFUSION, CLASSES}
    assert json.loads((tmp_path / "found" / SUMMARY).read_text()) == {"schema": "mmer.eval/1"}
    for name in (CONFUSION, CLASSES):
        assert cv2.imread(str(tmp_path / "found" / name)).std() > 10  # something is drawn


def test_a_folder_of_someone_else_is_not_replaced(tmp_path):
    with pytest.raises(SettingError, match="not ours"):
        write_evaluation(tmp_path, FOUND, {})


def test_without_matplotlib_the_extra_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match="report"):
        write_evaluation(tmp_path / "found", FOUND, {})
    assert not list(tmp_path.iterdir())
