"""Data sets are indexed by the names that their authors gave."""

import pytest

from mmer.data.importers import import_corpus
from mmer.edge.errors import CorpusError


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_java_sed_names_give_speaker_label_and_split(tmp_path):
    source = touched(tmp_path, "01-02-03_04.mp4", "03-01-06_01.mp4", "09-01-05_01.mp4", "readme.txt")
    found = [(e.label, e.split, e.speaker, dict(e.extra)) for e in import_corpus("java-sed", source)]
    assert found == [
        ("happy", "train", "java01", {"sentence": "02", "take": "04"}),
        ("anger", "val", "java03", {"sentence": "01", "take": "01"}),
        ("fear", "test", "java09", {"sentence": "01", "take": "01"}),
    ]


@pytest.mark.parametrize(("name", "said"), [("01-01-07_01.mp4", "emotion code 07"), ("05-01-01_01.mp4", "speaker 05")])
def test_java_sed_codes_that_do_not_exist_are_refused(tmp_path, name, said):
    with pytest.raises(CorpusError, match=said):
        import_corpus("java-sed", touched(tmp_path, name))


@pytest.mark.parametrize(
    ("name", "label", "split", "speaker"),
    [
        ("happy/a.mp4", "happy", "train", ""),
        ("Angry/a.wav", "anger", "train", ""),
        ("test/sad/a.mp4", "sad", "test", ""),
        ("dev/sad/mary/a.mp4", "sad", "val", "mary"),
    ],
)
def test_folders_give_label_split_and_speaker(tmp_path, name, label, split, speaker):
    (entry,) = import_corpus("folder", touched(tmp_path, name))
    assert (entry.label, entry.split, entry.speaker) == (label, split, speaker)


def test_a_clip_in_no_class_folder_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no folder that is named by an emotion"):
        import_corpus("folder", touched(tmp_path, "happy/a.mp4", "b.mp4"))


@pytest.mark.parametrize("name", ["folder", "java-sed"])
def test_a_folder_without_clips_is_refused(tmp_path, name):
    with pytest.raises(CorpusError, match="no clip"):
        import_corpus(name, touched(tmp_path, "notes.txt"))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no such folder"):
        import_corpus("folder", tmp_path / "none")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "happy").mkdir()
    try:
        (tmp_path / "happy" / "\udcff.wav").touch()
    except OSError:
        pytest.skip("the file system takes text only")
    with pytest.raises(CorpusError, match="not Unicode text"):
        import_corpus("folder", tmp_path)
