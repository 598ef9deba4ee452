"""An index is read as written, or refused with the line at fault."""

import pytest

from mmer.edge.corpus import Corpus, Entry, write_index
from mmer.edge.errors import CorpusError, SettingError

HEADER = "path,label,split,speaker"


def index(tmp_path, *lines, name="corpus.csv"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_paths_are_relative_to_the_index(tmp_path):
    corpus = Corpus.read([index(tmp_path, HEADER, "clips/a.mp4,happy,train,s1")])
    assert corpus.entries == (Entry(tmp_path / "clips/a.mp4", "happy", "train", "s1"),)


@pytest.mark.parametrize(
    ("spelling", "label"), [("Angry", "anger"), ("JOY", "happy"), ("fearful", "fear"), ("neu", "neutral")]
)
def test_every_spelling_becomes_the_canonical_label(tmp_path, spelling, label):
    assert Corpus.read([index(tmp_path, HEADER, f"a.mp4,{spelling},train,s1")]).entries[0].label == label


def test_known_and_further_columns_are_kept(tmp_path):
    path = index(
        tmp_path, HEADER + ",set,start_s,end_s,transcript,mood_board", 'a.mp4,sad,val,s1,x,1.5,2.5,"so, so",blue'
    )
    (entry,) = Corpus.read([path]).entries
    assert (entry.set, entry.start_s, entry.end_s, entry.transcript, entry.extra) == (
        "x",
        1.5,
        2.5,
        "so, so",
        {"mood_board": "blue"},
    )


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_what_is_written_is_read_again(tmp_path, name):
    entries = (
        Entry(
            tmp_path / "a b.mp4",
            "happy",
            "train",
            "s1",
            start_s=0.5,
            end_s=1.0,
            transcript='say "hi", ok\n…',
            extra={"take": "2"},
        ),
        Entry(tmp_path / "sub/b.mp4", "sad", "test", "s2", transcript="", extra={"take": ""}),
    )
    write_index(tmp_path / name, entries)
    assert Corpus.read([tmp_path / name]).entries == entries


def test_several_indexes_are_read_as_one(tmp_path):
    first = index(tmp_path, HEADER, "a.mp4,happy,train,s1", name="one.csv")
    second = index(tmp_path, '{"path":"b.mp4","label":"sad","split":"test","speaker":"s2"}', name="two.jsonl")
    assert [e.label for e in Corpus.read([first, second]).entries] == ["happy", "sad"]


def test_the_digest_does_not_depend_on_where_the_corpus_lies(tmp_path):
    digests = set()
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        digests.add(Corpus.read([index(tmp_path / folder, HEADER, "a.mp4,happy,train,s1")]).digest)
    assert len(digests) == 1


def test_the_digest_depends_on_what_the_rows_say(tmp_path):
    one = Corpus.read([index(tmp_path, HEADER, "a.mp4,happy,train,s1")]).digest
    other = Corpus.read([index(tmp_path, HEADER, "a.mp4,sad,train,s1")]).digest
    assert one != other


ROWS = (HEADER + ",set,take", "a.mp4,happy,train,s1,x,1", "b.mp4,sad,test,s2,x,2", "c.mp4,sad,test,s3,y,2")


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        ([("set", "x")], ["a.mp4", "b.mp4"]),
        ([("set", "x"), ("label", "sad")], ["b.mp4"]),
        ([("set", "x"), ("set", "y"), ("split", "test")], ["b.mp4", "c.mp4"]),
        ([("take", "2")], ["b.mp4", "c.mp4"]),
        ([], ["a.mp4", "b.mp4", "c.mp4"]),
    ],
)
def test_conditions_select_rows(tmp_path, conditions, kept):
    corpus = Corpus.read([index(tmp_path, *ROWS)]).where(conditions)
    assert [e.path.name for e in corpus.entries] == kept


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([("set", "z")], r"set=z \(set: x, y\)"),
        ([("colour", "red")], "no such column"),
        ([("set", "y"), ("label", "happy")], "no entry meets all"),
    ],
)
def test_conditions_that_nothing_meets_are_refused(tmp_path, conditions, said):
    with pytest.raises(SettingError, match=said):
        Corpus.read([index(tmp_path, *ROWS)]).where(conditions)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["path,label,split", "a.mp4,happy,train"], "no column speaker"),
        ([HEADER, "a.mp4,joyous,train,s1"], "line 2 has the label 'joyous'"),
        ([HEADER, "a.mp4,happy,train"], "line 2 has not as many fields"),
        ([HEADER, "a.mp4,happy,train,s1,extra"], "line 2 has not as many fields"),
        ([HEADER + ",start_s", "a.mp4,happy,train,s1,soon"], "start_s 'soon'"),
        ([HEADER + ",start_s", "a.mp4,happy,train,s1,-1"], "start_s '-1'"),
        ([HEADER + ",start_s,end_s", "a.mp4,happy,train,s1,2,1"], "ends .* before it starts"),
        ([HEADER, "a.mp4,happy,,s1"], "line 2 has no split"),
        ([HEADER, ",happy,train,s1"], "line 2 has no path"),
        ([HEADER], "no row"),
        ([""], "no column"),
        ([HEADER + ",label", "a.mp4,happy,train,s1,sad"], "column 'label' twice"),
    ],
)
def test_a_bad_row_is_named(tmp_path, lines, said):
    with pytest.raises(CorpusError, match=said):
        Corpus.read([index(tmp_path, *lines)])


SURROGATE = '{"path": "\\ud800.mp4", "label": "sad", "split": "test", "speaker": "s2"}'


@pytest.mark.parametrize("line", ["{", "[]", '{"path": "a.mp4"}', "[" * 100_000, "9" * 9999, SURROGATE])
def test_a_bad_json_line_is_named(tmp_path, line):
    with pytest.raises(CorpusError, match="line 1"):
        Corpus.read([index(tmp_path, line, name="corpus.jsonl")])


def test_a_missing_index_is_named(tmp_path):
    with pytest.raises(CorpusError, match="cannot be read"):
        Corpus.read([tmp_path / "none.csv"])


def test_an_index_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "corpus.csv"
    path.write_bytes(b"\xff\xfe\x00\x00\x01")
    with pytest.raises(CorpusError, match="UTF-8"):
        Corpus.read([path])


def test_a_linked_folder_leads_to_the_same_clips(tmp_path):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    write_index(tmp_path / "link" / "out.csv", [Entry(tmp_path / "clips" / "a.mp4", "happy", "train", "s1")])
    assert Corpus.read([tmp_path / "link" / "out.csv"]).entries[0].path.is_file()


def test_blank_lines_between_json_rows_are_nothing(tmp_path):
    row = '{"path":"b.mp4","label":"sad","split":"test","speaker":"s2"}'
    assert len(Corpus.read([index(tmp_path, row, "", row, name="corpus.jsonl")]).entries) == 2


def test_a_name_that_is_no_text_is_not_written(tmp_path):
    with pytest.raises(CorpusError, match="not Unicode text"):
        write_index(tmp_path / "out.csv", [Entry(tmp_path / "\udcff.mp4", "happy", "train", "s1")])


def test_a_split_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingError, match="split 'val'; there are: train"):
        Corpus((Entry(tmp_path, "sad", "train", "s"),)).part("train", "val")
