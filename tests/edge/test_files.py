"""A file is whole or not there."""

import pytest

from mmer.edge.errors import OutputExistsError
from mmer.edge.files import atomic_text, refuse_existing


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
