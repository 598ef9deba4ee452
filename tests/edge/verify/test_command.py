"""`mmer verify --on` as a user meets it."""

import json
import subprocess
import sys

import pytest

MMER = [sys.executable, "-c", "from mmer.cli import main; main()"]


def mmer(*arguments):
    return subprocess.run([*MMER, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_several_recordings_may_follow_on(bundle, folder):
    done = mmer("verify", bundle.path, "--json", "--on", folder / "sad0.wav", folder / "neutral0.wav")
    found = json.loads(done.stdout)["on"]
    assert (done.returncode, found["windows"], found["forms"][0]["windows"]["count"]) == (0, 2, 1)


def test_a_bad_recording_and_a_bound_each_have_their_code(bundle, folder, tmp_path):
    bad = mmer("verify", bundle.path, "--on", folder / "sad0.wav", tmp_path / "none.wav")
    assert (bad.returncode, "none.wav: no such file" in bad.stderr, "1 window(s)" in bad.stdout) == (3, True, True)
    low = mmer("verify", bundle.path, "--on", folder, "--min-agreement", "0.9")
    assert (low.returncode, low.stderr.count("\n"), "33.33%" in low.stdout) == (6, 1, True)


def test_what_is_kept_in_the_bundle_is_shown_and_does_not_disturb(make_bundle, quantised, folder, tmp_path):
    path = make_bundle(tmp_path / "loud.zip", **quantised).path
    assert mmer("verify", path, "--write", "--on", folder).returncode == 0
    assert mmer("verify", path).returncode == 0
    assert "agreement" in json.loads(mmer("inspect", path, "--json").stdout)["metrics"]
    assert mmer("verify", path, "--write", "--on", folder).returncode == 2


@pytest.mark.parametrize("option", [["clip.wav"], ["--write"], ["--min-agreement", "0.9"], ["--where", "split=test"]])
def test_without_on_there_is_nothing_to_compare(bundle, option):
    done = mmer("verify", bundle.path, *option)
    assert (done.returncode, "--on" in done.stderr) == (2, True)
