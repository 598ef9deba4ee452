"""`mmer run` where it ends before it has an answer, and where nobody reads on."""

import os
import subprocess
import sys

import pytest

from mmer.edge.errors import BundleError, DataError, DeviceError
from mmer.edge.launch import Finished, RunOptions, launch
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.run import Run

MMER = [sys.executable, "-c", "from mmer.cli import main; main()"]


def mmer(*arguments, folder, **environment):
    environ = {**os.environ, **environment}
    return subprocess.run([*MMER, *arguments], capture_output=True, text=True, check=False, cwd=folder, env=environ)


def test_what_lies_at_the_output_survives_a_wrong_bundle(tmp_path):
    (tmp_path / "out.csv").write_text("precious")
    done = mmer("run", "a.wav", "--bundle", "none", "-o", "out.csv", "--exist-ok", folder=tmp_path)
    assert (done.returncode, [(p.name, p.read_text()) for p in tmp_path.iterdir()]) == (8, [("out.csv", "precious")])


def test_a_folder_as_output_is_told_in_a_line(tmp_path):
    done = mmer("run", "a.wav", "-o", ".", folder=tmp_path)
    assert (done.returncode, "is a folder" in done.stderr, done.stderr.count("\n")) == (2, True, 1)


def test_the_format_can_be_given_by_the_environment(tmp_path):
    done = mmer("run", "a.wav", folder=tmp_path, MMER_RUN_FORMAT="xml")
    assert (done.returncode, "'xml'" in done.stderr) == (2, True)


def test_json_can_be_asked_for_by_the_environment(tmp_path):
    assert "MMER_RUN_JSON" in mmer("run", "--help", folder=tmp_path).stdout


def test_a_reader_that_goes_away_ends_the_command_quietly():
    running = subprocess.Popen([*MMER, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()
    assert (running.wait(), said) == (141, b"")


@pytest.mark.parametrize(
    ("errors", "code"),
    [([None], 0), ([None, DataError("a")], 3), ([DeviceError("b"), DataError("a"), None], 9)],
)
def test_the_worst_error_of_a_run_gives_the_code(errors, code, tmp_path):
    runs = tuple(Run(tmp_path, None, (), error, 0.0, {}) for error in errors)
    assert Finished(None, None, runs).exit_code == code


def test_the_decoder_starts_before_the_bundle_is_opened_and_ends_with_it(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(IsolatedDecoder, "start", lambda _: calls.append("start"))
    monkeypatch.setattr(IsolatedDecoder, "close", lambda _: calls.append("close"))
    with pytest.raises(BundleError):
        launch(["a.wav"], RunOptions(bundle=tmp_path), "table", calls.append, keep=False)
    assert calls == ["start", "close"]


def test_the_program_that_asks_for_frames_loads_no_decoder():
    code = "import sys, mmer.edge.launch; print('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
