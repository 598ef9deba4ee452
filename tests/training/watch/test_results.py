"""What a training leaves beside its model."""

import json
import re
import sys

import cv2
import pytest

from mmer.edge.errors import MissingDependencyError
from mmer.training.fitsettings import FitSettings
from mmer.training.history import Epoch
from mmer.training.train import TrainSettings, train
from mmer.training.watch.curves import CURVES, plot_curves
from mmer.training.watch.results import write_results

EPOCHS = [Epoch(number, 1.5 / number, 0.5, 0.1 * number, 0.4, 0.7, 2.0) for number in range(1, 6)]
TABLES = {"history.csv", "history.json", "summary.json", "classification_report.txt"}
PICTURES = {CURVES, "confusion_matrix.png", "per_class_metrics.png"}


@pytest.fixture(scope="module")
def few(synth_samples):
    return [s for split in ("train", "val") for s in [s for s in synth_samples if s.split == split][:6]]


@pytest.fixture(scope="module")
def trained(few):
    fit = FitSettings(epochs=1, batch_size=6)
    return train(few, TrainSettings(("neutral", "happy", "sad"), preset="tiny", fit=fit))


def test_course_figures_and_pictures_are_written(trained, few, tmp_path):
    pytest.importorskip("matplotlib")
    write_results(trained, few, "all", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == TABLES | PICTURES
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["split"], summary["clips"], "CHOSEN ON THIS SPLIT" in summary["stamps"]) == ("val", 6, True)
    assert summary["subsets"]["all"]["scores"]["uar"] == pytest.approx(trained.result.epochs[0].uar)


def test_without_matplotlib_everything_else_is_written_and_the_extra_named(trained, few, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = write_results(trained, few, "all", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == TABLES
    assert said[-1] == "no pictures: matplotlib is not installed: pip install 'mmer[report]'"


def test_classes_that_are_never_predicted_are_named(trained, few, tmp_path):
    one = [next(s for s in few if s.split == "val")]
    assert re.fullmatch(
        r"never predicted on the validation clips: \w+, \w+", write_results(trained, one, "all", tmp_path)[0]
    )


def test_curves_are_800_pixels_wide_and_mark_the_kept_epoch(tmp_path):
    pytest.importorskip("matplotlib")
    for kept in (2, 4):
        plot_curves(EPOCHS, kept, tmp_path / f"{kept}.png")
    pictures = [cv2.imread(str(tmp_path / f"{kept}.png")) for kept in (2, 4)]
    assert pictures[0].shape == (600, 800, 3)
    grey = [(picture[200] == 204).all(axis=1).nonzero()[0].mean() for picture in pictures]
    assert 300 < grey[0] + 100 < grey[1]


def test_curves_without_matplotlib_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match="report"):
        plot_curves(EPOCHS, 1, tmp_path / "a.png")
