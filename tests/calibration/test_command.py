import json
import signal
import subprocess
import sys

import pytest

from mmer.calibration.calibrated import RECORD
from mmer.edge.corpus import write_index

MAIN = "from mmer.cli import main; main()"
KILLED = f"""
import os, signal
from mmer.calibration.samples.shelf import Journal
add = Journal.add
def killed(journal, line):
    add(journal, line)
    os.kill(os.getpid(), signal.SIGKILL)
Journal.add = killed
{MAIN}
"""


@pytest.fixture(scope="module")
def index(corpus, tmp_path_factory):
    """The rows of the corpus, as a file that the command line reads."""
    path = tmp_path_factory.mktemp("rows") / "corpus.csv"
    write_index(path, corpus.entries)
    return path


@pytest.fixture
def calibrate(bundle, index, tmp_path):
    def run(*arguments, code=MAIN):
        given = ["calibrate", bundle.path, "--data", index, "--samples", "4", "--fresh", "1", *arguments]
        command = [sys.executable, "-c", code, *map(str, given)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


def seen(path):
    record = json.loads((path / RECORD).read_bytes())
    return record["samples"], record["statistics"], record["ranges"]


def test_a_killed_calibration_goes_on_with_resume_and_leaves_nothing_beside_its_output(calibrate, tmp_path):
    assert calibrate("-o", "killed", code=KILLED).returncode == -signal.SIGKILL
    assert (tmp_path / "killed.progress").is_dir()
    refused = calibrate("-o", "killed")
    assert refused.returncode == 2
    assert "add --resume to go on" in refused.stderr
    other = calibrate("-o", "killed", "--resume", "--method", "mse")
    assert other.returncode == 2
    assert "differs in settings" in other.stderr
    assert calibrate("-o", "killed", "--resume").returncode == 0
    assert not (tmp_path / "killed.progress").exists()
    assert calibrate("-o", "whole").returncode == 0
    assert seen(tmp_path / "killed") == seen(tmp_path / "whole")
    again = calibrate("-o", "again", "--ranges", "whole", "--method", "mse")
    assert again.returncode == 0
    assert seen(tmp_path / "again")[1] == seen(tmp_path / "whole")[1]


def test_ranges_that_cannot_be_used_end_with_3_in_a_line(calibrate, tmp_path):
    (tmp_path / "ranges.json").write_text("{}")
    found = calibrate("-o", "out", "--ranges", "ranges.json")
    assert found.returncode == 3
    assert found.stderr.count("\n") == 1
    assert "ranges.json: its ranges cannot be used" in found.stderr
