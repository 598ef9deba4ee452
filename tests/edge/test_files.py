"""A file is whole or not there."""

import os
from pathlib import Path

import pytest

from mmer.edge.errors import OutputError, OutputExistsError, SettingError
from mmer.edge.files import atomic_text, claim, kept_lines, refuse_existing


def test_a_finished_file_has_its_content(tmp_path):
    with atomic_text(tmp_path / "new" / "a.txt") as file:
        file.write("whole")
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"


def test_a_failed_write_leaves_what_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(TypeError, match="must be str"), atomic_text(tmp_path / "a.txt") as file:
        file.writelines(["half", 1])
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "before")]


def test_an_existing_output_is_refused(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(OutputExistsError, match="--exist-ok"):
        refuse_existing(tmp_path / "a.txt", exist_ok=False)


def interrupted(write):
    write("one")
    raise KeyboardInterrupt


def test_kept_lines_appear_even_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), kept_lines(tmp_path / "a.csv") as write:
        interrupted(write)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.csv", "one\n")]


def test_without_a_line_what_was_there_stays(tmp_path):
    (tmp_path / "a.csv").write_text("precious")
    with pytest.raises(KeyboardInterrupt), kept_lines(tmp_path / "a.csv"):
        raise KeyboardInterrupt
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.csv", "precious")]


def test_a_folder_is_no_file_to_write(tmp_path):
    with pytest.raises(SettingError, match="is a folder"), kept_lines(tmp_path):
        pass


def test_a_device_is_not_replaced():
    with pytest.raises(SettingError, match="no ordinary file"), kept_lines(Path(os.devnull)):
        pass


def test_an_output_below_a_file_is_refused(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OutputError, match="cannot be written"), atomic_text(tmp_path / "a" / "b.txt"):
        pass


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_text(tmp_path / "a.txt"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("marker", ["ours.json", None])
def test_a_foreign_folder_cannot_be_claimed(tmp_path, marker):
    (tmp_path / "thesis").mkdir()
    with pytest.raises(SettingError):
        claim(tmp_path / "thesis", marker=marker, exist_ok=True)


def test_a_claim_leaves_nothing(tmp_path):
    claim(tmp_path / "out", marker="ours.json", exist_ok=False)
    assert list(tmp_path.iterdir()) == []
