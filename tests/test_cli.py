"""The command line as a user meets it: exit codes, one line for a failure, JSON for machines."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mmer.edge.corpus import Corpus, write_index
from mmer.edge.shipped import BUNDLE

MMER = [sys.executable, "-c", "from mmer.cli import main; main()"]


def mmer(*arguments, **options):
    return subprocess.run([*MMER, *map(str, arguments)], capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def synth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth") / "corpus"
    done = mmer("data", "synth", "-o", folder, "--speakers", 3, "--clips", 1, "--length-s", 1, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_help_names_every_verb():
    said = mmer("--help").stdout
    assert all(verb in said for verb in ("data", "doctor"))


@pytest.mark.parametrize("verb", [("doctor",), ("bench",), ("data", "import"), ("data", "check"), ("data", "synth")])
def test_every_verb_shows_an_example_in_its_help(verb):
    assert f"Example: mmer {' '.join(verb)}" in " ".join(mmer(*verb, "--help").stdout.split())


def test_help_loads_no_array_library():
    code = "import sys, mmer.cli; print(sorted({'numpy', 'av', 'cv2', 'rich', 'onnxruntime'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_made_corpus_is_found_faultless(synth):
    done = mmer("data", "check", synth["index"], "--json")
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["clips"], facts["findings"], facts["leaks"]) == (0, 18, [], [])


def test_the_digest_is_the_same_in_every_command(synth):
    assert json.loads(mmer("data", "check", synth["index"], "--json").stdout)["digest"] == synth["digest"]


def test_rows_are_selected(synth):
    facts = json.loads(mmer("data", "check", synth["index"], "--json", "--where", "split=test").stdout)
    assert list(facts["counts"]) == ["test"]


def test_a_leak_ends_with_3_after_the_report(synth, tmp_path):
    entries = Corpus.read([Path(synth["index"])]).entries
    write_index(tmp_path / "leaky.csv", [replace(entry, speaker="one") for entry in entries])
    done = mmer("data", "check", tmp_path / "leaky.csv")
    assert (done.returncode, "leak: one" in done.stdout, done.stderr.count("\n")) == (3, True, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["data", "check", "missing.csv"], 3, "missing.csv: cannot be read"),
        (["data", "check", "missing.csv", "--where", "split"], 3, "cannot be read"),
        (
            ["data", "import", "unheard-of", "."],
            2,
            "no importer is called 'unheard-of'; there are: crema-d, fer2013, folder, goe",
        ),
        (["data", "import", "folder", "none"], 3, "no such folder"),
        (["data", "synth", "-o", "x", "--difficulty", "2"], 2, "difficulty is 2"),
        (["data", "synth"], 2, "--output"),
        (["unheard-of"], 2, "No such command"),
    ],
)
def test_a_failure_is_told_in_a_line_with_its_code(tmp_path, arguments, code, said):
    done = mmer(*arguments, cwd=tmp_path)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_an_unknown_target_is_refused_at_once(synth, tmp_path):
    done = mmer("calibrate", BUNDLE, "--data", synth["index"], "-o", tmp_path / "x", "--target", "ort,gpu")
    assert (done.returncode, (tmp_path / "x").exists()) == (2, False)
    assert "target is 'gpu', not one of ort, ort7, arm, tensorrt, openvino, all" in done.stderr


def test_a_form_for_openvino_without_openvino_names_the_extra(synth, tmp_path):
    program = "import sys; sys.modules['openvino'] = None; from mmer.cli import main; main()"
    order = ["calibrate", BUNDLE, "--data", synth["index"], "-o", tmp_path / "x", "--target", "openvino"]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, order)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, (tmp_path / "x").exists()) == (4, False)
    assert done.stderr == "error: OpenVINO is not installed: pip install 'mmer[openvino]'\n"


def test_an_existing_output_is_not_overwritten(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "a.wav").touch()
    (tmp_path / "corpus.csv").write_text("precious")
    done = mmer("data", "import", "folder", tmp_path, "-o", tmp_path / "corpus.csv")
    assert (done.returncode, (tmp_path / "corpus.csv").read_text()) == (2, "precious")


def test_options_can_be_given_by_the_environment(tmp_path):
    done = mmer("data", "synth", "-o", tmp_path / "x", env={**os.environ, "MMER_DATA_SYNTH_DIFFICULTY": "7"})
    assert (done.returncode, "difficulty is 7" in done.stderr) == (2, True)


def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path):
    arguments = [*MMER, "data", "synth", "-o", str(tmp_path / "corpus"), "--speakers", "50"]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob(".corpus.*/new/clips/*.mp4")):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, list(tmp_path.iterdir()), "Traceback" in said) == (130, [], False)


def test_a_full_disk_is_told_in_a_line(tmp_path):
    limits = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    code = f"import resource, signal; {limits}\nfrom mmer.cli import main; main()"
    source = tmp_path / "in" / "happy"
    source.mkdir(parents=True)
    (source / "a.wav").touch()
    done = subprocess.run(
        [sys.executable, "-c", code, "data", "import", "folder", str(tmp_path / "in"), "-o", str(tmp_path / "out.csv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n"), (tmp_path / "out.csv").exists()) == (9, 1, False)


def test_doctor_describes_the_machine():
    facts = json.loads(mmer("doctor", "--json").stdout)
    assert facts["schema"] == "mmer.doctor/1"
