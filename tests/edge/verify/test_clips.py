"""Recordings are named as everywhere else."""

import pytest

from mmer.edge.corpus import NO_MEDIA, Entry, write_index
from mmer.edge.errors import CorpusError, SettingError
from mmer.edge.verify.clips import clips, recording


def test_files_folders_and_patterns_stand_for_recordings(tmp_path):
    for name in ("a.wav", "b.mp4", "notes.md"):
        (tmp_path / name).touch()
    assert [entry.path.name for entry in clips([str(tmp_path)])] == ["a.wav", "b.mp4"]
    assert [entry.path.name for entry in clips([str(tmp_path / "*.wav")])] == ["a.wav"]


def test_media_and_an_index_may_be_named_together(tmp_path):
    write_index(tmp_path / "i.csv", [Entry(tmp_path / "c.wav", "sad", "test", "x", transcript="so be it")])
    found = clips([str(tmp_path / "i.csv"), "b.mp4"])
    assert [(entry.path.name, entry.transcript) for entry in found] == [("b.mp4", ""), ("c.wav", "so be it")]


def test_rows_without_an_index_are_refused():
    with pytest.raises(SettingError, match="--where"):
        clips(["a.wav"], [("split", "test")])


def test_a_missing_index_is_told(tmp_path):
    with pytest.raises(CorpusError):
        clips([str(tmp_path / "none.csv")])


def test_no_name_at_all_is_refused():
    with pytest.raises(SettingError, match="nothing to watch"):
        clips([])


def test_words_without_media_are_recordings_of_their_own(tmp_path):
    said = [Entry(NO_MEDIA, "sad", "test", "x", transcript=words) for words in ("oh", "no")]
    write_index(tmp_path / "i.jsonl", said)
    assert [recording(entry) for entry in clips([str(tmp_path / "i.jsonl")])] == ["oh", "no"]


def test_stretches_of_one_file_are_one_recording(tmp_path):
    stretches = [Entry(tmp_path / "a.wav", "sad", "test", "x", start_s=s, end_s=s + 1) for s in (0.0, 5.0)]
    write_index(tmp_path / "i.csv", stretches)
    assert len({recording(entry) for entry in clips([str(tmp_path / "i.csv")])}) == 1
