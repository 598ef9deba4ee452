"""The course of a training, kept as a table."""

import csv
import json

from mmer.training.history import Epoch, best_of, write_history

EPOCHS = [Epoch(1, 1.5, 0.5, 0.4, 0.6, 0.7, 2.0), Epoch(2, 1.0, 0.5, 0.5, 0.5, 0.7, 2.0), Epoch(3, 1, 1, 0.5, 0, 0, 2)]


def test_the_first_of_equals_is_the_best():
    assert best_of(EPOCHS, "uar") == 1
    assert best_of(EPOCHS, "macro_f1") == 0


def test_both_files_hold_every_epoch(tmp_path):
    write_history(EPOCHS, tmp_path)
    document = json.loads((tmp_path / "history.json").read_text())
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["loss"] for row in document["epochs"]] == [1.5, 1.0, 1]
    assert [(row["number"], float(row["uar"])) for row in rows] == [("1", 0.4), ("2", 0.5), ("3", 0.5)]
