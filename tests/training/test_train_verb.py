"""`mmer train` as it is called: what it leaves behind, goes on with and refuses."""

import json
import os
import re
import subprocess
import sys

import pytest

from mmer import cli
from mmer.edge.corpus import write_index
from mmer.edge.errors import MissingDependencyError, SettingError


@pytest.fixture(scope="module")
def index(synth_corpus, tmp_path_factory):
    parts = [[e for e in synth_corpus.entries if e.split == split] for split in ("train", "val")]
    path = tmp_path_factory.mktemp("few") / "corpus.csv"
    write_index(path, [entry for part in parts for entry in part[:: len(part) // 3]])
    return path


@pytest.fixture
def call(index, tmp_path, monkeypatch, capsys):
    """Train a tiny model for an epoch and return the document it prints."""
    monkeypatch.setenv("MMER_CACHE", str(index.parent / "cache"))

    def run(output, **options):
        usual = {"preset": "tiny", "changes": ["epochs=1"], "as_json": True, "quiet": True}
        cli.train("cafes", [index], tmp_path / output, **(usual | options))
        return json.loads(capsys.readouterr().out)

    return run


def test_the_checkpoint_has_its_history_and_nothing_lies_beside_it(call, tmp_path):
    document = call("made")
    kept = json.loads((tmp_path / "made" / "history.json").read_text())
    assert kept["epochs"] == document["epochs"]
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_kill_between_the_checkpoint_and_the_end_is_mended(call, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mmer.training.watch.results.write_history", killed)
        with pytest.raises(KeyboardInterrupt):
            call("made")
    weights = (tmp_path / "made" / "model.safetensors").read_bytes()
    with pytest.raises(SettingError, match="add --resume to go on"):
        call("made")
    call("made", resume=True)
    assert (tmp_path / "made" / "model.safetensors").read_bytes() == weights
    assert not (tmp_path / "made.progress").exists()


def test_fine_tuning_takes_the_preset_of_its_start(call, tmp_path):
    call("before")
    document = call("after", start=[str(tmp_path / "before")], preset=None)
    assert (document["preset"], document["provenance"]["start"]["labels_kept"]) == ("tiny", document["labels"])


def test_a_seed_among_the_changes_is_refused(call, index):
    with pytest.raises(SettingError, match="give it as --seed"):
        call("made", changes=["epochs=1", "seed=7"])
    with pytest.raises(SettingError, match="give it as --seed"):
        cli.evaluate("cafes", train_on=[index], test_on=[index], changes=["seed=7"])


def test_the_checkpoint_holds_its_log_and_what_it_is_worth(call, tmp_path):
    call("made")
    names = {path.name for path in (tmp_path / "made").iterdir()}
    assert {"train.log", "history.csv", "summary.json", "classification_report.txt"} <= names
    kinds = [line.split(" ")[1] for line in (tmp_path / "made" / "train.log").read_text().splitlines()]
    assert (kinds[0], kinds.count("epoch"), kinds[-1]) == ("versions", 1, "done")


def test_tensorboard_is_written_beside(call, tmp_path):
    pytest.importorskip("tensorboard")
    call("made", tensorboard=tmp_path / "board")
    assert len(list((tmp_path / "board").iterdir())) == 1


def test_without_tensorboard_nothing_is_begun(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingDependencyError, match=r"mmer\[watch\]"):
        call("made", tensorboard=tmp_path / "board")
    assert not list(tmp_path.iterdir())


STAGE = '{"stage": [{"name": "one", "trains": ["nose"]}]}'


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"changes": ["rates.nose=0.1"]}, "no part of the model is called 'nose'"),
        ({"stages": STAGE}, "no part of the model is called 'nose'"),
        ({"changes": ["compute.precision=float16"]}, "take bfloat16"),
        ({"sizes": ["audio.front=mel"]}, "audio.front mel reads 16000 Hz"),
        ({"sizes": ["audio.max_steps=5"]}, "add --model-set audio.max_steps=81"),
        ({"tensorboard": "taken"}, "cannot be written"),
    ],
)
def test_what_would_end_a_training_is_refused_before_a_clip_is_read(call, tmp_path, monkeypatch, options, reason):
    pytest.importorskip("tensorboard")
    monkeypatch.setattr("mmer.training.material.load_samples", lambda *_: pytest.fail("clips were read"))
    for name in options.keys() & {"stages", "tensorboard"}:
        (tmp_path / f"{name}.json").write_text(options[name])
        options = {name: tmp_path / f"{name}.json"}
    with pytest.raises(SettingError, match=reason):
        call("made", **options)


def test_a_failed_training_leaves_its_log_and_says_why(call, tmp_path):
    with pytest.raises(SettingError, match="no difficulty in their index"):
        call("made", changes=["epochs=1", "curriculum.epochs=1", "curriculum.by=index"])
    assert "training clips have no difficulty in their index" in (tmp_path / "made.train.log").read_text()


LIMITED = """
import resource, signal, torch
from mmer.training.progress import ProgressFile
from mmer.cli import main
torch.set_num_threads(1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = ProgressFile.store
def store_and_fill_the_disk(self, progress):
    store(self, progress)
    if len(progress.epochs) == FULL_AFTER:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
ProgressFile.store = store_and_fill_the_disk
main()
"""
FREE = "import torch; torch.set_num_threads(1); from mmer.cli import main; main()"


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_disk_that_fills_up_is_told_in_a_line_and_nothing_is_lost(index, tmp_path, epochs):
    """After the first of two epochs the progress cannot be written any more, after the second the checkpoint."""
    options = ["train", "cafes", "--data", index, "--preset", "tiny", "--set", "epochs=2", "-o", tmp_path / "out"]
    environment = {**os.environ, "MMER_CACHE": str(index.parent / "cache")}

    def run(code, *more):
        command = [sys.executable, "-c", code, *map(str, [*options, *more])]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    failed = run(LIMITED.replace("FULL_AFTER", str(epochs)), "--quiet")
    said = r"error: .*out(\.progress)? cannot be written: file too large; .* add --resume: the epochs before are kept\n"
    assert (failed.returncode, re.fullmatch(said, failed.stderr) is None) == (9, False), failed.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"out.progress", "out.train.log"}
    resumed = run(FREE, "--resume")
    assert (resumed.returncode, [path.name for path in tmp_path.iterdir()]) == (0, ["out"]), resumed.stderr
    told = [line.split()[1:3] for line in (tmp_path / "out" / "train.log").read_text().splitlines()]
    assert (told.count(["epoch", "1"]), told.count(["epoch", "2"])) == (1, 1)
