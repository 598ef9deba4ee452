"""A decoder that crashes, hangs or talks nonsense costs one file, never the program or its results."""

import fcntl
import sys
from collections import deque

import pytest

from mmer.edge.errors import DataError, DecoderCrashedError, DecoderStalledError, MediaLimitError, UnreadableMediaError
from mmer.edge.media.clip import Clip
from mmer.edge.media.isolated import COMMAND, IsolatedDecoder
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Frame

SECONDS = tuple(i / 30 for i in range(90))
BOTH = Request(FrameRequest(), SoundRequest())

ABORTING = """
import sys; sys.path[:] = [p for p in sys.path if p]
import os
from mmer.edge.media import child
class Answers:
    def __init__(self, stream): self.stream, self.left = stream, 3
    def write(self, data):
        self.left -= 1
        if self.left < 0: os.abort()
        self.stream.write(data)
    def flush(self): self.stream.flush()
child.serve(sys.stdin.buffer, Answers(sys.stdout.buffer))
"""
"""The real decoder process, except that it aborts, as native code does, after three messages."""


@pytest.fixture
def clip_path(made):
    return made("both.mp4", frame_times_s=SECONDS, sound_length_s=3.0)


def test_the_process_yields_what_the_clip_yields(clip_path):
    with IsolatedDecoder() as decoder:
        apart = list(decoder.events(clip_path, BOTH))
    together = list(Clip.open(clip_path).events(BOTH))
    assert [(type(e), e.time_s) for e in apart] == [(type(e), e.time_s) for e in together]
    assert all(
        (a.pixels == b.pixels).all() if isinstance(a, Frame) else (a.samples == b.samples).all()
        for a, b in zip(apart, together, strict=True)
    )


def test_the_process_describes_a_clip_as_the_clip_does(clip_path):
    with IsolatedDecoder() as decoder:
        assert decoder.open(clip_path) == Clip.open(clip_path)


def test_what_came_before_an_abort_is_kept(clip_path):
    received = []
    with IsolatedDecoder(command=[sys.executable, "-c", ABORTING]) as decoder:
        events = decoder.events(clip_path, BOTH)
        with pytest.raises(DecoderCrashedError, match="SIGABRT"):
            deque(map(received.append, events))
    assert len(received) == 3


def test_the_next_file_is_read_after_an_abort(clip_path):
    with IsolatedDecoder(command=[sys.executable, "-c", ABORTING]) as decoder:
        with pytest.raises(DecoderCrashedError):
            list(decoder.events(clip_path, BOTH))
        assert decoder.open(clip_path).video is not None


def test_a_decoder_that_hangs_is_stopped(clip_path):
    hanging = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with (
        IsolatedDecoder(MediaLimits(stall_s=0.2), hanging) as decoder,
        pytest.raises(DecoderStalledError, match=r"0\.2 s"),
    ):
        decoder.open(clip_path)


@pytest.mark.parametrize("nonsense", [b"\xff\xff\xff\x7f", b"\x02\x00\x00\x00{}", b"\x05\x00\x00\x00hello"])
def test_a_decoder_that_talks_nonsense_is_stopped(clip_path, nonsense):
    talking = [
        sys.executable,
        "-c",
        f"import sys; sys.stdout.buffer.write({nonsense!r}); sys.stdout.flush(); sys.stdin.read()",
    ]
    with IsolatedDecoder(command=talking) as decoder, pytest.raises(DecoderCrashedError, match="no longer makes sense"):
        decoder.open(clip_path)


def test_a_decoder_that_cannot_start_says_why(clip_path):
    failing = [sys.executable, "-c", "raise OSError('no room')"]
    with (
        IsolatedDecoder(command=failing) as decoder,
        pytest.raises(DecoderCrashedError, match="status 1: OSError: no room"),
    ):
        decoder.open(clip_path)


def test_errors_keep_their_class_across_the_process(tmp_path):
    path = tmp_path / "bad.mp4"
    path.write_bytes(b"nothing")
    with IsolatedDecoder() as decoder, pytest.raises(UnreadableMediaError, match="cannot be read"):
        decoder.open(path)


def test_limits_hold_in_the_process(clip_path):
    with IsolatedDecoder(MediaLimits(pixels=100)) as decoder, pytest.raises(MediaLimitError, match="64x48"):
        decoder.open(clip_path)


def test_a_file_that_needs_too_much_memory_is_refused(made):
    path = made("large.mp4", frame_times_s=SECONDS[:3], size=(3840, 2160))
    with IsolatedDecoder(MediaLimits(memory_bytes=330 * 2**20)) as decoder, pytest.raises(DataError):
        list(decoder.events(path, Request(FrameRequest(rate_hz=None, long_side=3840))))


def test_turning_away_in_the_middle_leaves_no_stale_answers(clip_path):
    with IsolatedDecoder() as decoder:
        next(decoder.events(clip_path, BOTH))
        assert decoder.open(clip_path) == Clip.open(clip_path)


def test_a_folder_called_mmer_in_the_current_directory_is_not_imported(tmp_path, monkeypatch, clip_path):
    (tmp_path / "mmer").mkdir()
    (tmp_path / "mmer" / "edge.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    with IsolatedDecoder(command=COMMAND) as decoder:
        assert decoder.open(clip_path).video is not None


def test_one_process_serves_one_file_after_another(clip_path):
    with IsolatedDecoder() as decoder:
        first = decoder._process
        decoder.open(clip_path)
        deque(decoder.events(clip_path, BOTH))
        decoder.captions(clip_path)
        assert decoder._process is first


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_closed_decoder_tells_how_much_memory_it_took(clip_path):
    with IsolatedDecoder() as decoder:
        decoder.open(clip_path)
    assert decoder.peak_mb > 10


@pytest.mark.skipif(not hasattr(fcntl, "F_GETPIPE_SZ"), reason="pipes have one size")
def test_the_process_may_run_ahead_by_a_frame():
    with IsolatedDecoder() as decoder:
        assert fcntl.fcntl(decoder._process.stdout, fcntl.F_GETPIPE_SZ) >= 640 * 360 * 3


def test_a_system_that_grants_no_wide_pipe_goes_without(clip_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with IsolatedDecoder() as decoder:
        assert decoder.open(clip_path).video is not None
