"""Every format says the same of a prediction, in its own way."""

import csv
import json

import pytest

from mmer.edge.prediction import Prediction
from mmer.edge.sinks.formats import FORMATS
from mmer.edge.sinks.rows import clock, row
from mmer.edge.sinks.summary import summary

LABELS = ("happy", "sad")
SEEN = Prediction(
    0.5, 4.5, "happy", {"happy": 0.75, "sad": 0.25}, {"video": True, "audio": True, "text": False}, track=2
)
NOTHING = Prediction(0.0, 4.0, None, {}, {"video": False, "audio": False, "text": False})


def lines(name, *predictions, notice=None):
    form = FORMATS[name](LABELS, notice)
    return [line for line in [form.head(), *(form.line("a.mp4", p) for p in predictions)] if line is not None]


def test_json_lines_are_json():
    (line,) = lines("jsonl", SEEN)
    assert json.loads(line) == {"source": "a.mp4", **row(SEEN)}


def test_csv_has_a_column_for_each_label():
    head, first = csv.reader(lines("csv", SEEN))
    assert dict(zip(head, first, strict=True)) | {"source": ""} == {
        "source": "",
        "start_s": "0.500",
        "end_s": "4.500",
        "track": "2",
        "label": "happy",
        "p_happy": "0.750000",
        "p_sad": "0.250000",
        "has_video": "1",
        "has_audio": "1",
        "has_text": "0",
        "has_metadata": "0",
    }


def test_csv_leaves_what_is_unknown_empty():
    head, first = csv.reader(lines("csv", NOTHING))
    values = dict(zip(head, first, strict=True))
    assert (values["track"], values["label"], values["p_happy"]) == ("", "", "")


def test_every_format_says_the_notice():
    (line,) = lines("jsonl", SEEN, notice="a toy, ok?")
    head, *rows = csv.reader(lines("csv", SEEN, NOTHING, notice="a toy, ok?"))
    assert json.loads(line)["notice"] == "a toy, ok?"
    assert [dict(zip(head, row, strict=True))["notice"] for row in rows] == ["a toy, ok?", "a toy, ok?"]
    assert lines("table", SEEN, notice="a toy, ok?")[0] == "note: a toy, ok?"


def test_the_table_tells_when_who_what_and_why():
    (said,) = lines("table", SEEN)
    assert all(part in said for part in ("a.mp4", "0:00.5 -  0:04.5", "person 2", "happy", "75%", "face + voice"))


def test_the_table_says_when_there_was_nothing_to_look_at():
    assert "nothing to look at" in lines("table", NOTHING)[0]


def test_the_table_names_a_source_once():
    assert [line.count("a.mp4") for line in lines("table", SEEN, SEEN)] == [1, 0]


@pytest.mark.parametrize(
    ("time_s", "said"), [(0.0, "0:00.0"), (59.96, "1:00.0"), (61.25, "1:01.3"), (3600.0, "1:00:00.0")]
)
def test_moments_are_told_as_a_clock_does(time_s, said):
    assert clock(time_s) == said


def test_a_summary_counts_shares_and_transitions_by_person():
    told = [Prediction(i, i + 1, label, {}, {}, track=1) for i, label in enumerate(["sad", "sad", "happy", "sad"])]
    assert summary([*told, NOTHING]) == {
        "1": {"share": {"sad": 0.75, "happy": 0.25}, "transitions": {"sad>happy": 1, "happy>sad": 1}}
    }
