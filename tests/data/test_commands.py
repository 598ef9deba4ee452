"""The verbs of `mmer data` that deal and judge corpora."""

import json
from pathlib import Path

from typer.testing import CliRunner

from mmer.cli import app
from mmer.edge.corpus import Corpus, Entry, write_index
from mmer.edge.errors import LeakError


def mmer(*arguments):
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def index(path, speakers=4):
    entries = [
        Entry(Path(), label, "train", f"s{n}", transcript=f"{label} {n}")
        for n in range(speakers)
        for label in ("happy", "sad")
    ]
    write_index(path, entries)
    return path


def test_a_split_is_written_and_counted(tmp_path):
    done = mmer("split", index(tmp_path / "a.csv"), "-o", tmp_path / "b.csv", "--ratios", "50/25/25", "--json")
    (told,) = json.loads(done.stdout)["indexes"]
    assert (told["clips"], told["stamps"]) == ({"test": 2, "train": 4, "val": 2}, [])
    assert Corpus.read([tmp_path / "b.csv"]).digest == told["digest"]


def test_folds_are_as_many_files(tmp_path):
    mmer("split", index(tmp_path / "a.csv"), "-o", tmp_path / "fold.csv", "--folds", 4)
    assert sorted(p.name for p in tmp_path.glob("fold*")) == [f"fold-{n}.csv" for n in (1, 2, 3, 4)]


def test_a_leaky_split_says_so_in_the_index_and_fails_the_check(tmp_path):
    done = mmer(
        "split", index(tmp_path / "a.csv", 1), "-o", tmp_path / "b.csv", "--ratios", "50/50", "--allow-leaky-split"
    )
    assert done.stdout.endswith("LEAKY\n")
    assert "LEAKY" in (tmp_path / "b.csv").read_text()
    assert isinstance(mmer("check", tmp_path / "b.csv").exception, LeakError)


def test_a_corpus_that_does_not_leak_passes(tmp_path):
    assert mmer("check", index(tmp_path / "a.csv")).exit_code == 0
