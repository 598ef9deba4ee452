"""Subtitles and texts, as people really write them."""

import math

import pytest

from mmer.edge.errors import TranscriptError
from mmer.edge.media.stream import Caption
from mmer.edge.media.transcript import read_transcript, transcript_beside

SRT = """1
00:00:01,500 --> 00:00:02,750
<i>Hello</i> {\\an8}there,
dear

2
00:01:00,000 --> 00:01:01,000
second
"""
VTT = """WEBVTT - title

STYLE
::cue { color: red }

NOTE 00:00 --> nothing

intro
00:01.500 --> 00:02.750 align:start position:10%
<v Mary>Hello &amp; <00:02.000>goodbye

01:00:00.000 --> 01:00:01.000
late
"""


def written(tmp_path, name, text, encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_subrip_gives_words_and_times(tmp_path):
    expected = (Caption(1.5, 2.75, "Hello there, dear"), Caption(60.0, 61.0, "second"))
    assert read_transcript(written(tmp_path, "a.srt", SRT)) == expected


def test_webvtt_gives_words_and_times(tmp_path):
    expected = (Caption(1.5, 2.75, "Hello & goodbye"), Caption(3600.0, 3601.0, "late"))
    assert read_transcript(written(tmp_path, "a.vtt", VTT)) == expected


def test_captions_without_empty_lines_between_are_told_apart(tmp_path):
    text = "1\n00:00:01,0 --> 00:00:02,0\none\n2\n00:00:02,0 --> 00:00:03,0\ntwo\n"
    assert [c.text for c in read_transcript(written(tmp_path, "a.srt", text))] == ["one", "two"]


def test_captions_out_of_order_are_sorted(tmp_path):
    text = "2\n00:00:05,000 --> 00:00:06,000\nlater\n\n1\n00:00:01,000 --> 00:00:02,000\nearlier\n"
    assert [c.text for c in read_transcript(written(tmp_path, "a.srt", text))] == ["earlier", "later"]


def test_plain_text_holds_for_the_whole_clip(tmp_path):
    assert read_transcript(written(tmp_path, "a.txt", "I am\nfine.\n")) == (Caption(0.0, math.inf, "I am fine."),)


def test_an_empty_text_is_no_caption(tmp_path):
    assert read_transcript(written(tmp_path, "a.txt", "\n")) == ()


@pytest.mark.parametrize(("name", "text"), [("a.vtt", "WEBVTT\n\n"), ("a.srt", " \r\n\r\n"), ("a.txt", "  \n \n")])
def test_a_file_without_words_has_no_captions(tmp_path, name, text):
    assert read_transcript(written(tmp_path, name, text)) == ()


def test_absurd_hours_are_no_time(tmp_path):
    text = f"1\n{'9' * 400}:00:00,000 --> {'9' * 400}:00:01,000\nwords\n"
    with pytest.raises(TranscriptError, match="no caption"):
        read_transcript(written(tmp_path, "a.srt", text))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_of_all_systems_are_read(tmp_path, encoding, newline):
    path = written(tmp_path, "a.srt", SRT.replace("dear", "chère").replace("\n", newline), encoding)
    assert read_transcript(path)[0].text == "Hello there, chère"


def test_another_encoding_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(TranscriptError, match="save it as UTF-8"):
        read_transcript(written(tmp_path, "a.srt", SRT.replace("dear", "chère"), "latin-1"))


def test_a_file_without_a_time_is_refused(tmp_path):
    with pytest.raises(TranscriptError, match="no caption"):
        read_transcript(written(tmp_path, "a.srt", "just words\n"))


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(TranscriptError, match="known endings"):
        read_transcript(written(tmp_path, "a.doc", "words"))


def test_a_huge_file_is_refused(tmp_path):
    with pytest.raises(TranscriptError, match="larger than"):
        read_transcript(written(tmp_path, "a.txt", "x" * (9 * 2**20)))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(TranscriptError, match="cannot be read"):
        read_transcript(tmp_path / "a.srt")


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (["clip.srt", "clip.txt"], "clip.srt"),
        (["clip.vtt", "clip.txt"], "clip.vtt"),
        (["clip.en.srt", "clip.vtt"], "clip.en.srt"),
        (["clip.txt"], "clip.txt"),
        (["other.srt", "clipper.srt"], None),
    ],
)
def test_the_transcript_beside_a_clip_is_found(tmp_path, present, found):
    for name in present:
        written(tmp_path, name, SRT)
    beside = transcript_beside(tmp_path / "clip.mp4")
    assert (beside and beside.name) == found
