"""Each data set is read in the forms in which its authors gave it out."""

import io
import os
import tarfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmer.data.importers import import_corpus
from mmer.edge.corpus import Corpus, write_index
from mmer.edge.errors import CorpusError

PACK = os.environ.get("MMER_PACK")
with_pack = pytest.mark.skipif(PACK is None, reason="MMER_PACK names no data pack")
MELD_HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def jpeg(value=90):
    return cv2.imencode(".jpg", np.full((48, 48), value, np.uint8))[1].tobytes()


def archive(path, *names):
    with tarfile.open(path, "w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(jpeg())
            tar.addfile(info, io.BytesIO(jpeg()))
    return path


def test_ravdess_names_give_label_split_statement_and_actor(tmp_path):
    source = touched(
        tmp_path, "Actor_01/03-01-05-02-01-01-01.wav", "Actor_24/01-01-08-01-02-02-24.mp4", "03-02-05-01-01-01-01.wav"
    )
    found = [(e.label, e.split, e.speaker, e.transcript) for e in import_corpus("ravdess", source)]
    assert found == [
        ("anger", "train", "rav01", "Kids are talking by the door."),
        ("surprise", "test", "rav24", "Dogs are sitting by the door."),
    ]


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [
        ("ravdess", "03-01-09-01-01-01-01.wav", "emotion code 09"),
        ("ravdess", "03-01-01-01-01-01-25.wav", "actor 25"),
        ("crema-d", "1001_DFA_JOY_XX.wav", "emotion code JOY"),
        ("crema-d", "1001_XXX_ANG_XX.wav", "sentence code XXX"),
    ],
)
def test_codes_that_do_not_exist_are_refused(tmp_path, form, name, said):
    with pytest.raises(CorpusError, match=said):
        import_corpus(form, touched(tmp_path, name))


def test_crema_names_give_label_split_sentence_and_actor(tmp_path):
    source = touched(tmp_path, "1001_DFA_ANG_XX.wav", "1008_IEO_HAP_HI.mp4", "1019_MTI_NEU_X.flv")
    found = [(e.label, e.split, e.speaker, e.transcript) for e in import_corpus("crema-d", source)]
    assert found == [
        ("anger", "train", "crema1001", "Don't forget a jacket."),
        ("happy", "val", "crema1008", "It's eleven o'clock."),
        ("neutral", "test", "crema1019", "Maybe tomorrow it will be cold."),
    ]


@pytest.mark.parametrize("header", ["emotion,pixels,Usage", "emotion, Usage, pixels"])
def test_fer2013_comes_out_of_its_table_pixel_by_pixel(tmp_path, header):
    pixels = np.arange(2304) % 256
    values = {"emotion": "3", "pixels": " ".join(map(str, pixels)), "Usage": "PublicTest"}
    table = tmp_path / "fer2013.csv"
    table.write_text(f"{header}\n" + ",".join(values[name.strip()] for name in header.split(",")) + "\n")
    (entry,) = import_corpus("fer2013", table, tmp_path / "out")
    assert (entry.label, entry.split, entry.fills_frame) == ("happy", "val", True)
    assert np.array_equal(cv2.imread(str(entry.path), cv2.IMREAD_GRAYSCALE).ravel(), pixels)


@pytest.mark.parametrize("row", ["3,1 2 3,Training", "7,0,Training", "3,a b,Training", "3,0,Else"])
def test_a_spoilt_row_of_fer2013_is_named(tmp_path, row):
    table = tmp_path / "fer2013.csv"
    table.write_text(f"emotion,pixels,Usage\n{row}\n")
    with pytest.raises(CorpusError, match="line 2"):
        import_corpus("fer2013", table, tmp_path / "out")


def test_fer2013_folders_and_official_names_give_the_split(tmp_path):
    source = touched(tmp_path, "train/angry/Training_1.jpg", "test/happy/PublicTest_2.jpg", "test/sad/im3.png")
    found = {(e.label, e.split) for e in import_corpus("fer2013", source)}
    assert found == {("anger", "train"), ("happy", "val"), ("sad", "test")}


def test_fer2013_archives_are_unpacked_inside_the_folder_alone(tmp_path):
    tar = archive(tmp_path / "fer2013_val.tar", "angry/1.jpg", "../../sad/2.jpg")
    entries = import_corpus("fer2013", tar, tmp_path / "out")
    assert [(e.path.relative_to(tmp_path).as_posix(), e.split) for e in entries] == [
        ("out/val/anger/1.jpg", "val"),
        ("out/val/sad/2.jpg", "val"),
    ]
    assert {p.name for p in tmp_path.iterdir()} == {"fer2013_val.tar", "out"}


def test_a_broken_archive_is_refused(tmp_path):
    (tmp_path / "fer2013.tar").write_bytes(b"nothing")
    with pytest.raises(CorpusError, match="not an archive"):
        import_corpus("fer2013", tmp_path / "fer2013.tar")


def test_meld_lines_have_their_clip_or_are_words_alone(tmp_path):
    rows = '1,"Oh, no",Ross,sadness,negative,4,0,1,1,"0","1"\n2,Hi,Joey,joy,positive,4,1,1,1,"1","2"\n'
    (tmp_path / "dev_sent_emo.csv").write_text(MELD_HEADER + rows)
    touched(tmp_path, "dev_splits_complete/dia4_utt0.mp4", "train_splits/dia4_utt1.mp4")
    found = [(e.path.name, e.label, e.split, e.speaker, e.role, e.turn) for e in import_corpus("meld", tmp_path)]
    assert found == [("dia4_utt0.mp4", "sad", "val", "meld Ross", "Ross", "0"), ("", "happy", "val", "", "Joey", "1")]


def test_goemotions_become_ekmans_classes_where_there_is_only_one(tmp_path):
    (tmp_path / "labels.txt").write_text("admiration\nannoyance\nanger\nneutral\n")
    (tmp_path / "train.tsv").write_text('so "good\t0\ta\nbah\t1,2\tb\nwell\t0,3\tc\n')
    found = [(e.transcript, e.label, e.extra["comment"]) for e in import_corpus("goemotions", tmp_path)]
    assert found == [('so "good', "happy", "a"), ("bah", "anger", "b")]


@pytest.mark.parametrize(
    ("labels", "said"), [("anger", "emotion '1'"), ("rage", "lists 'rage'"), (None, r"no labels\.txt")]
)
def test_goemotions_without_the_right_list_is_refused(tmp_path, labels, said):
    (tmp_path / "train.tsv").write_text("bah\t1\tb\n")
    if labels:
        (tmp_path / "labels.txt").write_text(labels)
    with pytest.raises(CorpusError, match=said):
        import_corpus("goemotions", tmp_path)


def test_words_alone_survive_an_index(tmp_path):
    (tmp_path / "dev_sent_emo.csv").write_text(MELD_HEADER + '1,Hi,Joey,joy,positive,4,1,1,1,"1","2"\n')
    entries = import_corpus("meld", tmp_path)
    write_index(tmp_path / "corpus.csv", entries)
    assert Corpus.read([tmp_path / "corpus.csv"]).entries == entries


@with_pack
@pytest.mark.parametrize(
    ("form", "place", "counts"),
    [
        ("ravdess", "ravdess_speech", {"train": 840, "val": 120, "test": 240}),
        ("meld", "text", {"train": 9989, "val": 1109}),
        ("goemotions", "text", {"train": 39555, "val": 4946}),
        ("fer2013", "fer2013_val.tar", {"val": 3508}),
    ],
)
def test_the_pack_is_read(tmp_path, form, place, counts):
    found = import_corpus(form, Path(PACK) / place, tmp_path / "out")
    assert Counter(entry.split for entry in found) == counts
