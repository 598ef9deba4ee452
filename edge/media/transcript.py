"""Words with times from subtitle and text files."""

import html
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mmer.edge.errors import TranscriptError
from mmer.edge.media.stream import Caption

_MAX_BYTES = 8 * 2**20
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_CUE = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")
"""Tags such as `<i>`, `<v Mary>`, `<00:01.500>`, and position codes such as `{\\an8}`."""


def read_transcript(path: Path) -> tuple[Caption, ...]:
    """Return the captions of a `.srt`, `.vtt` or `.txt` file, in order of time; raise `TranscriptError`."""
    if (parse := _PARSERS.get(path.suffix.lower())) is None:
        raise TranscriptError(path, f"known endings are {', '.join(_PARSERS)}")
    text = _text(path)
    captions = sorted(parse(text), key=lambda caption: caption.start_s)
    if not captions and _is_misread(text):
        raise TranscriptError(path, "no caption with a time in it")
    return tuple(captions)


def transcript_beside(media: Path) -> Path | None:
    """Return the subtitle or text file of the same name, `clip.srt` before `clip.en.srt` before `.vtt` and `.txt`."""
    for suffix in _PARSERS:
        if (exact := media.with_suffix(suffix)).is_file() and exact != media:
            return exact
        stem = re.escape(media.stem)
        named = re.compile(rf"{stem}\.[A-Za-z-]{{2,8}}{re.escape(suffix)}")
        if found := sorted(p for p in media.parent.iterdir() if named.fullmatch(p.name) and p.is_file()):
            return found[0]
    return None


def plain(text: str) -> str:
    """Return a caption's words without markup, on one line."""
    return " ".join(html.unescape(_MARKUP.sub("", text)).split())


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise TranscriptError(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise TranscriptError(path, f"larger than {_MAX_BYTES >> 20} MB")
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise TranscriptError(
            path, f"byte {error.start} is not {encoding.removesuffix('-sig').upper()}; save it as UTF-8"
        ) from error


def _is_misread(text: str) -> bool:
    """Tell whether there are words and not one cue, beside the first line of an empty WebVTT file."""
    lines = [line for line in _lines(text) if line.strip()]
    headed = bool(lines) and lines[0].startswith("WEBVTT")
    return len(lines) > headed and not any(map(_CUE.match, lines))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _cues(text: str) -> Iterator[Caption]:
    """Yield the captions of SubRip and WebVTT: a line with two times, then words up to an empty line."""
    lines = _lines(text)
    starts = [number for number, line in enumerate(lines) if _CUE.match(line)]
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=False):
        start_s, end_s = _times(lines[start])
        words = plain(" ".join(_words(lines[start + 1 : following], followed=following < len(lines))))
        if words and end_s > start_s:
            yield Caption(start_s, end_s, words)


def _words(lines: list[str], *, followed: bool) -> list[str]:
    """Return the lines before the first empty one; without one, the last may be the next caption's number."""
    words = list(itertools.takewhile(str.strip, lines))
    numbered = followed and len(words) == len(lines) and bool(words) and words[-1].strip().isdigit()
    return words[:-1] if numbered else words


def _times(line: str) -> tuple[float, float]:
    match = _CUE.match(line)
    assert match is not None
    return _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:])


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _whole(text: str) -> Iterator[Caption]:
    if words := " ".join(text.split()):
        yield Caption(0.0, math.inf, words)


_PARSERS: Mapping[str, Callable[[str], Iterator[Caption]]] = {".srt": _cues, ".vtt": _cues, ".txt": _whole}
