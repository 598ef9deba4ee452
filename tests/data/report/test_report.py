"""A corpus is drawn on one page that needs nothing else."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from mmer.data.report.survey import project, survey
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import SettingError

pytest.importorskip("matplotlib")


@pytest.fixture
def texts():
    lines = [("happy", f"what joy {n}") for n in range(6)] + [("sad", f"oh no, {n} tears") for n in range(6)]
    return Corpus(tuple(Entry(Path(), label, "train", "", transcript=words) for label, words in lines))


def test_classes_are_counted_and_every_clip_has_a_place(texts):
    found = survey(texts, 100, 0)
    assert (found.counts, found.places.shape) == ({"train": {"happy": 6, "sad": 6}}, (12, 2))


def test_no_more_clips_are_read_than_wanted(texts):
    assert len(survey(texts, 5, 0).labels) == 5


def test_a_clip_that_cannot_be_read_has_no_place(texts):
    missing = Entry(Path("none.wav"), "sad", "train", "")
    assert len(survey(Corpus((*texts.entries, missing)), 100, 0).labels) == 12


def test_the_projection_finds_the_direction_in_which_rows_differ():
    rows = [np.array([n, 2 * n, 5.0, (-1) ** n * 0.1], np.float32) for n in range(10)]
    places, explained = project(rows)
    assert abs(np.corrcoef(places[:, 0], np.arange(10))[0, 1]) > 0.98
    assert explained == pytest.approx(1.0)


def test_the_page_names_no_other_file(texts, tmp_path):
    from mmer.data.report.page import write_report

    write_report(survey(texts, 100, 0), tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert len(re.findall('src="data:image/png;base64,', page)) == page.count("src=") == 3
    assert json.loads((tmp_path / "report" / "report.json").read_text())["projection"]["clips"] == 12


def test_a_folder_that_is_not_ours_is_not_replaced(texts, tmp_path):
    from mmer.data.report.page import write_report

    (tmp_path / "notes").mkdir()
    with pytest.raises(SettingError, match=r"no index\.html"):
        write_report(survey(texts, 100, 0), tmp_path / "notes")
