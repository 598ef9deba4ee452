"""A recording is known again in another codec, rate, size and quality; another take of it is another recording."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from mmer.data.check import check_corpus, check_lines
from mmer.edge.corpus import Corpus, Entry

RATE_HZ = 16000


def speech(seed, length_s=2.0):
    """Return something like speech: a voice that changes its pitch and its vowel six times a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    pieces = rng.uniform(0.5, 1.5, (int(length_s * 6) + 2, 12))
    levels = np.stack([np.interp(time * 6, np.arange(len(pieces)), piece) for piece in pieces.T])
    phase = 2 * np.pi * np.cumsum(120 * levels[0]) / RATE_HZ
    voice = sum(levels[h] ** 4 * np.sin(phase * h * 1.3) for h in range(1, 12))
    return (voice / np.abs(voice).max() * 0.5).astype(np.float32)


def saved(path, samples, rate_hz=RATE_HZ):
    soundfile.write(path, samples, rate_hz)
    return path


def face(seed):
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.uniform(0, 255, (8, 8)).astype(np.float32), (48, 48)).astype(np.uint8)


def picture(path, pixels, quality=90):
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


def found(*entries):
    return [(t.kind, *(p.name for p in t.paths)) for t in check_corpus(Corpus(entries)).twins]


def entry(path, split, **more):
    return Entry(path, "sad", split, f"{split} {path.name}", **more)


@pytest.mark.parametrize("name", ["b.flac", "b.ogg", "b.mp3"])
def test_the_same_recording_in_another_codec_is_found(tmp_path, name):
    a, b = saved(tmp_path / "a.wav", speech(1)), saved(tmp_path / name, speech(1))
    assert found(entry(a, "train"), entry(b, "test")) == [("sound", "a.wav", name)]


def test_the_same_recording_cut_and_at_another_rate_is_found(tmp_path):
    cut = cv2.resize(speech(1)[None, 5000:], (13500, 1), interpolation=cv2.INTER_LINEAR)[0]
    a, b = saved(tmp_path / "a.wav", speech(1)), saved(tmp_path / "b.wav", cut * 0.3, 8000)
    assert found(entry(a, "train"), entry(b, "val")) == [("sound", "a.wav", "b.wav")]


def test_different_recordings_are_different(tmp_path):
    places = [saved(tmp_path / f"{n}.wav", speech(n)) for n in range(6)]
    assert found(*(entry(p, "train" if n % 2 else "test") for n, p in enumerate(places))) == []


def test_over_sampling_before_the_split_is_found_for_every_copy(tmp_path):
    a = saved(tmp_path / "a.wav", speech(1))
    copies = [tmp_path / f"copy{n}.wav" for n in range(3)]
    for copy in copies:
        copy.write_bytes(a.read_bytes())
    found_ = found(entry(a, "train"), *(entry(copy, "test") for copy in copies), entry(a, "val"))
    assert {(kind, other) for kind, _, other in found_ if kind == "file"} == {
        ("file", name) for name in ("copy0.wav", "copy1.wav", "copy2.wav", "a.wav")
    }


def test_the_same_recording_twice_in_one_split_is_no_leak(tmp_path):
    a, b = saved(tmp_path / "a.wav", speech(1)), saved(tmp_path / "b.flac", speech(1))
    assert found(entry(a, "train"), entry(b, "train")) == []


def test_stretches_of_one_file_that_do_not_overlap_are_no_leak(tmp_path):
    a = saved(tmp_path / "a.wav", np.concatenate([speech(1), speech(2)]))
    first, second = entry(a, "train", end_s=2.0), entry(a, "test", start_s=2.0, end_s=4.0)
    assert found(first, second) == []


def test_a_picture_of_another_size_and_quality_is_found_among_others(tmp_path):
    others = [entry(picture(tmp_path / f"{n}.jpg", face(n)), "train") for n in range(20)]
    again = picture(tmp_path / "again.jpg", cv2.resize(face(7), (96, 96)), 40)
    check = check_corpus(Corpus((*others, entry(again, "test"))))
    assert [tuple(p.name for p in twin.paths) for twin in check.twins] == [("7.jpg", "again.jpg")]
    assert check.leaking == 1


def test_a_few_pictures_among_thousands_are_said_and_tolerated(tmp_path):
    a, b = picture(tmp_path / "a.jpg", face(1)), picture(tmp_path / "b.jpg", face(1), 50)
    texts = [Entry(Path(), "sad", s, "", transcript=f"line {n} {s}") for s in ("train", "test") for n in range(100)]
    check = check_corpus(Corpus((entry(a, "train"), entry(b, "test"), *texts)))
    assert (check.leaking, len(check.twins)) == (0, 1)
    assert "same picture" in "\n".join(check_lines(check))


@pytest.mark.parametrize(("count", "kinds"), [(3, []), (25, ["text"])])
def test_long_texts_are_leaks_and_short_ones_are_counted(count, kinds):
    words = " ".join(f"word{n}" for n in range(count))
    pair = (
        Entry(Path(), "sad", "train", "", transcript=words),
        Entry(Path(), "sad", "test", "", transcript=f"{words.upper()}!"),
    )
    check = check_corpus(Corpus(pair))
    assert ([twin.kind for twin in check.twins], check.repeated_texts) == (kinds, 1)
