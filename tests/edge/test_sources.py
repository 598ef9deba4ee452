"""What a name given by a user stands for."""

import os
from pathlib import Path

import pytest

from mmer.edge.errors import NoMediaError, SettingError
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.sources import sources


def test_nothing_to_watch_is_refused():
    with pytest.raises(SettingError, match="--example"):
        sources([])


@pytest.mark.parametrize("name", ["0", "rtsp://host/live", "/dev/video0"])
def test_cameras_and_streams_are_refused(name):
    with pytest.raises(SettingError, match="cameras"):
        sources([name])


def test_a_folder_may_be_called_like_a_camera(tmp_path, monkeypatch):
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "a.wav").touch()
    monkeypatch.chdir(tmp_path)
    assert sources(["2024"]) == [Path("2024/a.wav")]


def test_an_empty_folder_does_not_stop_the_others(tmp_path):
    (tmp_path / "empty").mkdir()
    assert sources([str(tmp_path / "empty"), "a.wav"]) == [tmp_path / "empty", Path("a.wav")]


def test_a_folder_without_media_says_so(tmp_path):
    with pytest.raises(NoMediaError, match="holds no media"):
        IsolatedDecoder().open(tmp_path)


def test_a_name_that_is_not_utf8_is_refused():
    with pytest.raises(SettingError, match="not UTF-8"):
        sources([os.fsdecode(b"caf\xe9.wav")])


def test_a_name_too_long_for_any_file_is_left_to_its_source():
    assert sources(["x" * 5000]) == [Path("x" * 5000)]
