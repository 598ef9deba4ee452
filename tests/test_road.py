"""The road from a model to answers, by the commands that a user types."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MMER = [sys.executable, "-c", "from mmer.cli import main; main()"]
REFUSED = ("torch", "transformers", "onnx", "optimum", "sklearn", "joblib", "tensorflow")
NOTICE = "demonstration, not accurate"
REFUSING = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {REFUSED}:
            raise ImportError(name + " is refused")
sys.meta_path.insert(0, Refuse())
from mmer.cli import main
main()
"""

LINGERING = """
import sys, time
def linger(event, args):
    if event == "os.rename" and str(args[1]).endswith("target"):
        time.sleep(3600)
sys.addaudithook(linger)
from mmer.cli import main
main()
"""
"""Everything is written, nothing has its name yet: time to be killed."""


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """An untrained model's checkpoint and bundle, and a clip with a face, speech and words."""
    from mmer.data.synth.corpus import make_corpus
    from mmer.data.synth.recipe import SynthRecipe
    from mmer.edge.corpus import Corpus
    from mmer.training.train import TrainSettings, untrained

    folder = tmp_path_factory.mktemp("road")
    recipe = SynthRecipe(speakers=3, clips_per_class=1, labels=("happy", "sad"), length_s=3.0)
    corpus = Corpus.read([make_corpus(recipe, folder / "synth")])
    entry = corpus.entries[0]
    entry.path.with_suffix(".txt").write_text(entry.transcript)
    untrained(TrainSettings(("happy", "sad"), preset="tiny"), [e.transcript for e in corpus.entries]).save(
        folder / "checkpoint"
    )
    done = mmer("export", folder / "checkpoint", "-o", folder / "bundle", "--json", cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    return folder, entry.path, json.loads(done.stdout)


def mmer(*arguments, cache, program=MMER):
    environment = {**os.environ, "MMER_CACHE": str(cache)}
    command = [*program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def run(road, tmp_path):
    """Run the command on the bundle with a cache of its own."""
    folder, _, _ = road

    def start(*arguments, program=MMER):
        return mmer("run", *arguments, "--bundle", folder / "bundle", cache=tmp_path / "cache", program=program)

    return start


def test_the_bundle_verifies(road):
    folder, _, _ = road
    done = mmer("verify", folder / "bundle", "--json", cache=folder / "cache")
    assert (done.returncode, json.loads(done.stdout)["schema"]) == (0, "mmer.verify/1")


def test_every_command_prints_the_same_digest(road, run):
    folder, clip, exported = road
    inspected = json.loads(mmer("inspect", folder / "bundle", "--json", cache=folder / "cache").stdout)["digest"]
    ran = json.loads(run(clip, "--json").stdout)["bundle"]["digest"]
    assert {exported["bundle"]["digest"], inspected, ran} == {inspected}


def test_a_clip_gives_answers_that_rest_on_all_it_has(road, run):
    _, clip, _ = road
    report = json.loads(run(clip, "--json").stdout)
    (one,) = report["runs"]
    (prediction,) = one["predictions"]
    assert (report["schema"], one["status"], prediction["present"]) == (
        "mmer.run/1",
        "ok",
        {"video": True, "audio": True, "text": True},
    )
    assert sum(prediction["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)


def test_nothing_heavy_is_needed_to_run(road, run):
    _, clip, _ = road
    done = run(clip, program=[sys.executable, "-c", REFUSING])
    assert (done.returncode, "person 0" in done.stdout) == (0, True)


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_the_example_runs_as_installed_and_every_answer_says_what_it_is_not(tmp_path, form):
    refusing = [sys.executable, "-c", REFUSING]
    done = mmer("run", "--example", "--format", form, cache=tmp_path / "cache", program=refusing)
    said = done.stdout.splitlines()
    answers = [line for line in said if "example.mp4" in line or "person 0" in line]
    assert (done.returncode, len(answers) >= 20) == (0, True)
    assert ([said[0]] if form == "table" else answers) == [line for line in said if NOTICE in line]


def test_the_example_as_one_document_says_it_too(tmp_path):
    report = json.loads(mmer("run", "--example", "--json", cache=tmp_path / "cache").stdout)
    seen = [prediction["present"] for prediction in report["runs"][0]["predictions"]]
    assert report["bundle"]["notice"] == NOTICE
    assert report["runs"][0]["source"]["streams"]["words"].endswith("example.srt")
    assert all(present == {"video": True, "audio": True, "text": True} for present in seen)


def test_a_notice_of_two_lines_is_told_in_a_line(road, tmp_path):
    folder, _, _ = road
    named = ["-o", tmp_path / "bundle", "--notice", "two\nlines"]
    done = mmer("export", folder / "checkpoint", *named, cache=tmp_path)
    assert (done.returncode, "printable" in done.stderr, done.stderr.count("\n")) == (2, True, 1)


def test_a_bundle_without_a_notice_says_none(run, road):
    _, clip, _ = road
    assert json.loads(run(clip, "--json").stdout)["bundle"]["notice"] is None
    assert "notice" not in json.loads(run(clip, "--format", "jsonl").stdout)


def test_one_failed_source_does_not_stop_the_rest(road, run, tmp_path):
    _, clip, _ = road
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    done = run(tmp_path / "broken.mp4", tmp_path / "missing.mp4", clip, "--json")
    statuses = [one["status"] for one in json.loads(done.stdout)["runs"]]
    assert (done.returncode, statuses) == (3, ["error", "error", "ok"])


@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_answers_go_to_a_file_in_every_format(road, run, tmp_path, form):
    _, clip, _ = road
    done = run(clip, "--format", form, "-o", tmp_path / "out")
    assert (done.returncode, done.stdout, clip.name in (tmp_path / "out").read_text()) == (0, "", True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--precision", "int4"], 2, "int4"),
        (["--device", "tpu"], 2, "tpu"),
        (["--format", "xml"], 2, "xml"),
        (["--hop-s", "0"], 2, "cannot be used"),
        (["--transcript", "none.srt"], 3, "none.srt"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(road, run, arguments, code, said):
    _, clip, _ = road
    done = run(clip, *arguments)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False)


BENCH = ("--seconds", "0.1", "--starts", "1")


def test_a_bundle_is_measured_beside_its_checkpoint(road, tmp_path):
    folder, _, exported = road
    named = ["--data", folder / "synth" / "corpus.csv", "--reference", folder / "checkpoint", "-o", tmp_path / "b.json"]
    done = mmer("bench", folder / "bundle", *named, *BENCH, "--json", cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    torch, graphs = document["rows"]
    assert document["bundle"]["digest"] == exported["bundle"]["digest"]
    assert [(row["backend"], row["reference"]) for row in (torch, graphs)] == [("torch", True), ("onnxruntime", False)]
    assert graphs["versus_reference"]["agreement_windows"] == 1
    assert torch["peak_rss_mb"] > graphs["peak_rss_mb"] > 0
    assert json.loads((tmp_path / "b.json").read_text()) == document


def test_nothing_heavy_is_needed_to_measure_the_graphs(road):
    folder, _, _ = road
    named = ["--data", folder / "synth" / "corpus.csv", "--where", "label=sad"]
    done = mmer(
        "bench", folder / "bundle", *named, *BENCH, cache=folder / "cache", program=[sys.executable, "-c", REFUSING]
    )
    assert (done.returncode, "reference: fp32" in done.stdout, "1 clips, " in done.stdout) == (0, True, True)


def test_a_bench_asks_for_its_output_before_the_work(tmp_path):
    (tmp_path / "precious.json").touch()
    done = mmer("bench", "none", "--data", "none.csv", "-o", tmp_path / "precious.json", cache=tmp_path)
    assert (done.returncode, "precious.json exists" in done.stderr, done.stderr.count("\n")) == (2, True, 1)


def test_a_camera_is_refused_in_a_line(run):
    done = run("0")
    assert (done.returncode, "cameras" in done.stderr) == (2, True)


def test_a_changed_bundle_is_refused_with_8(road, tmp_path):
    folder, clip, _ = road
    changed = tmp_path / "bundle"
    for path in (folder / "bundle").rglob("*"):
        if path.is_file():
            (changed / path.relative_to(folder / "bundle")).parent.mkdir(parents=True, exist_ok=True)
            (changed / path.relative_to(folder / "bundle")).write_bytes(path.read_bytes())
    graph = next((changed / "graphs").iterdir())
    graph.write_bytes(graph.read_bytes()[:-1] + b"\x00")
    done = mmer("run", clip, "--bundle", changed, cache=tmp_path / "cache")
    assert (done.returncode, done.stderr.count("\n")) == (8, 1)


def test_a_checkpoint_that_is_none_is_told_in_a_line(tmp_path):
    done = mmer("export", tmp_path, "-o", tmp_path / "bundle", cache=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (8, 1)


@pytest.mark.parametrize("verb", ["train", "export"])
def test_a_killed_command_leaves_nothing_under_its_targets_name(road, tmp_path, verb):
    folder, _, _ = road
    arguments = {
        "train": ["cafes", "--data", folder / "synth" / "corpus.csv", "--preset", "tiny", "--set", "epochs=1"],
        "export": [folder / "checkpoint"],
    }
    command = [sys.executable, "-c", LINGERING, verb, *map(str, arguments[verb]), "-o", str(tmp_path / "target")]
    running = subprocess.Popen(command, env={**os.environ, "MMER_CACHE": str(tmp_path / "cache")})
    while not list(tmp_path.glob(".target.*/new/*")) and running.poll() is None:
        time.sleep(0.02)
    running.kill()
    assert (running.wait(), (tmp_path / "target").exists()) == (-signal.SIGKILL, False)


def test_the_same_predictions_come_from_a_folder(road, run):
    folder, clip, _ = road
    alone = json.loads(run(clip, "--json").stdout)["runs"][0]["predictions"]
    runs = json.loads(run(Path(folder) / "synth" / "clips", "--json").stdout)["runs"]
    (among,) = [one["predictions"] for one in runs if one["source"]["path"].endswith(clip.name)]
    assert alone == among


def test_an_evaluation_is_written_as_files(road, tmp_path):
    pytest.importorskip("matplotlib")
    folder, _, _ = road
    corpus, output = folder / "synth" / "corpus.csv", tmp_path / "found"
    arguments = ("eval", folder / "checkpoint", "--data", corpus, "--split", "train", "-o", output, "--json")
    done = mmer(*arguments, cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    names = {"summary.json", "classification_report.txt", "confusion_matrix.png", "per_class_metrics.png"}
    assert {path.name for path in output.iterdir()} == names
    assert json.loads((output / "summary.json").read_text()) == json.loads(done.stdout)
    assert mmer(*arguments, cache=folder / "cache").returncode == 2  # it is there
