"""Opens untrusted media with PyAV: which formats, which streams, and where time zero is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from mmer.edge.errors import UnreadableMediaError

_FORMATS = (
    "mov,matroska,webm,avi,mpeg,mpegvideo,mpegts,ogg,flv,asf,wav,w64,mp3,aac,ac3,eac3,flac,amr,aiff,au,caf,"
    "h264,hevc,av1,ivf,obu,gif,mxf,nut,rm,wv,tta,dv,yuv4mpegpipe,m4v,mjpeg,opus,srt,webvtt,ass,"
    "jpeg_pipe,png_pipe"
)
"""Playlists and scripts (hls, dash, concat, image sequences) are left out: they name other files and hosts."""

_FREE_CLOCKS = {"mp3", "mpegts", "mpeg", "flv", "asf", "rtsp", "rtp", "sdp"}
"""Formats whose clock starts anywhere (in mp3, after the encoder's padding): their first moment is zero."""


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a media file; decoding errors inside the block become `UnreadableMediaError`."""
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        form = _picture(path)
        with av.open(f"file:{path}", format=form, options=options, metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, UnicodeError) as error:
        raise UnreadableMediaError(path, reason(error)) from error


def _picture(path: Path) -> str | None:
    """Return the format of a JPEG picture by its first bytes; FFmpeg takes many small ones for a sequence of files."""
    try:
        with path.open("rb") as file:
            return "jpeg_pipe" if file.read(3) == b"\xff\xd8\xff" else None
    except OSError:
        return None


def reason(error: Exception) -> str:
    """Return what FFmpeg said, without numbers and paths."""
    return str(getattr(error, "strerror", None) or type(error).__name__).lower()


def clock_zero_s(container: InputContainer) -> float:
    """Return the container time that is zero on the clip's clock."""
    if container.format.name not in _FREE_CLOCKS or container.start_time is None:
        return 0.0
    return container.start_time / av.time_base


_TEXT = 1 << 17
"""FFmpeg's AV_CODEC_PROP_TEXT_SUB."""


def video_streams(container: InputContainer) -> list[VideoStream]:
    """Return the video streams, the best first: marked as default, then large; cover art is none."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic and _decodable(s)]
    return sorted(moving, key=lambda s: (s.disposition & Disposition.default, s.width * s.height), reverse=True)


def audio_streams(container: InputContainer) -> list[AudioStream]:
    """Return the audio streams, the best first: marked as default, then of a high rate."""
    known = [s for s in container.streams.audio if _decodable(s)]
    return sorted(known, key=lambda s: (s.disposition & Disposition.default, s.codec_context.sample_rate), reverse=True)


def text_streams(container: InputContainer) -> list[SubtitleStream]:
    """Return the text subtitle streams, the default first; pictures of text are of no use."""
    texts = [s for s in container.streams.subtitles if _decodable(s) and s.codec_context.codec.properties & _TEXT]
    return sorted(texts, key=lambda s: s.disposition & Disposition.default, reverse=True)


def _decodable(stream: Stream) -> bool:
    return stream.codec_context is not None
