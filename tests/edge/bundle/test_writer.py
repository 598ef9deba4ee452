"""A bundle is written whole or not at all."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import BundleError, OutputExistsError, SettingError


def content(path) -> bytes | dict[str, bytes]:
    if path.is_file():
        return path.read_bytes()
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.mark.parametrize("names", [("a", "b"), ("a.zip", "b.zip")])
def test_equal_contents_give_equal_bytes(parts, tmp_path, names):
    first = write_bundle(tmp_path / names[0], parts.manifest, parts.files)
    second = write_bundle(tmp_path / names[1], parts.manifest, dict(reversed(parts.files.items())))
    assert content(first.path) == content(second.path)


def test_an_existing_bundle_is_not_replaced_unasked(bundle, parts):
    with pytest.raises(OutputExistsError):
        write_bundle(bundle.path, parts.manifest, parts.files)


def test_an_existing_bundle_is_replaced_when_asked(bundle, parts):
    other = write_bundle(bundle.path, replace(parts.manifest, name="other"), parts.files, exist_ok=True)
    assert (Bundle.open(bundle.path).manifest.name, other.digest != bundle.digest) == ("other", True)


@pytest.mark.parametrize("name", ["thesis.txt", "manifest.json"])  # a web page's folder has a manifest.json, too
@pytest.mark.parametrize("target", ["home", "home.zip"])
def test_a_folder_that_is_no_bundle_is_never_replaced(parts, tmp_path, target, name):
    (tmp_path / target).mkdir()
    (tmp_path / target / name).write_text("years")
    with pytest.raises(SettingError, match="name another output"):
        write_bundle(tmp_path / target, parts.manifest, parts.files, exist_ok=True)
    assert content(tmp_path) == {f"{target}/{name}": b"years"}


def test_what_could_not_be_opened_is_not_written(parts, tmp_path):
    with pytest.raises(BundleError, match="LICENSE/x"):
        write_bundle(tmp_path / "a", parts.manifest, {**parts.files, "LICENSE/x": b""})
    graphs = dict.fromkeys(parts.manifest.graphs, parts.manifest.graphs["window"])
    with pytest.raises(BundleError, match="other tensors"):
        write_bundle(tmp_path / "a", replace(parts.manifest, graphs=graphs), parts.files)
    with pytest.raises(BundleError, match=r"golden/frame\.npz"):
        write_bundle(tmp_path / "a", parts.manifest, {**parts.files, "golden/frame.npz": b"PK"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tiny", "tiny.zip"])
def test_a_full_disk_leaves_the_bundle_that_was_there(parts, tmp_path, name, monkeypatch):
    before = content(write_bundle(tmp_path / name, parts.manifest, parts.files).path)

    def fail(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_bundle(tmp_path / name, replace(parts.manifest, name="other"), parts.files, exist_ok=True)
    assert (content(tmp_path / name), [p.name for p in tmp_path.iterdir()]) == (before, [name])


def test_a_bundle_that_cannot_be_put_in_place_gives_the_old_one_back(folder, parts, tmp_path, monkeypatch):
    before, rename = content(folder), Path.rename

    def fail(path, target):
        if path.name == "new":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_bundle(folder, replace(parts.manifest, name="other"), parts.files, exist_ok=True)
    assert (content(folder), [p.name for p in tmp_path.iterdir()]) == (before, [folder.name])


STOP_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.writer import write_bundle

source, target, after = Bundle.open(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
whole, calls = os.fsync, 0

def fsync(handle):
    global calls
    whole(handle)
    calls += 1
    if calls == after:
        os.kill(os.getpid(), signal.SIGKILL)

os.fsync = fsync
write_bundle(target, source.manifest, {name: source.read(name) for name in source.manifest.files}, exist_ok=True)
"""


@pytest.mark.parametrize(("name", "after"), [("new", 1), ("new", 8), ("new.zip", 1)])
def test_a_kill_in_the_middle_leaves_nothing_under_the_name(folder, tmp_path, name, after):
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", STOP_IN_THE_MIDDLE, folder, out / name, str(after)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert not (out / name).exists()


def test_after_a_kill_the_next_try_succeeds(folder, parts, tmp_path):
    subprocess.run([sys.executable, "-c", STOP_IN_THE_MIDDLE, folder, tmp_path / "new", "3"], check=False, timeout=60)
    assert write_bundle(tmp_path / "new", parts.manifest, parts.files).digest == Bundle.open(folder).digest


def test_a_bundle_can_be_made_from_another(bundle, tmp_path):
    files = {name: bundle.read(name) for name in bundle.manifest.files}
    assert write_bundle(tmp_path / "copy", bundle.manifest, files).digest == bundle.digest


def test_the_writer_leaves_readable_files(folder):
    assert {oct(p.stat().st_mode & 0o444) for p in [folder, *folder.rglob("*")]} == {"0o444"}
