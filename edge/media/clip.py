"""A media file: what is in it, and its frames, sound and captions by time.

What reads it is imported when it is read: in `mmer run` that is the decoder process alone, and PyAV takes 20 MB.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.errors import MediaLimitError, MediaNotFoundError, UnreadableMediaError
from mmer.edge.media import soundfiles
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.soundtrack import joined
from mmer.edge.media.stream import Caption, Event, Frame, Sound


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The chosen video stream."""

    index: int
    codec: str
    width: int
    """Of the coded picture, before it is turned upright."""
    height: int
    rate_hz: float | None
    """On average; what counts are the frames' own times."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The chosen audio stream."""

    index: int
    codec: str
    rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True)
class Clip:
    """A media file that was opened once and found to hold pictures or sound."""

    path: Path
    duration_s: float | None
    """As the file states it; `None` where it does not."""
    video: VideoTrack | None
    audio: AudioTrack | None
    text: int | None
    """Index of the chosen caption stream."""
    choices: tuple[str, ...]
    """Which streams were chosen among several, in words."""
    limits: MediaLimits

    @classmethod
    def open(cls, path: Path, limits: MediaLimits = MediaLimits()) -> "Clip":
        """Read what is in the file; raise `DataError` when it holds nothing that can be decoded."""
        if not path.is_file():
            raise MediaNotFoundError(path)
        if facts := soundfiles.probe(path, limits):
            audio = AudioTrack(0, facts.codec, facts.rate_hz, facts.channels)
            return _within_limits(cls(path, facts.duration_s, None, audio, None, (), limits))
        from mmer.edge.media.contents import clip_of  # noqa: PLC0415

        return _within_limits(clip_of(path, limits))

    def events(self, request: Request) -> Iterator[Event]:
        """Yield frames and sound in the order in which they are stored, in one pass."""
        from mmer.edge.media.decode import Source, decode  # noqa: PLC0415

        by_libsndfile = self.video is None and soundfiles.probe(self.path, self.limits) is not None
        video, audio = (track.index if track else None for track in (self.video, self.audio))
        return decode(Source(self.path, video, audio, self.limits, by_libsndfile), request)

    def frames(
        self, request: FrameRequest = FrameRequest(), start_s: float = 0.0, end_s: float = math.inf
    ) -> Iterator[Frame]:
        """Yield the wanted frames between two moments."""
        for event in self.events(Request(request, None, start_s, end_s)):
            if isinstance(event, Frame):
                yield event

    def sound(self, rate_hz: int = 8000, start_s: float = 0.0, end_s: float = math.inf) -> Sound | None:
        """Return the sound between two moments in one piece, `None` when there is none."""
        events = self.events(Request(None, SoundRequest(rate_hz), start_s, end_s))
        return joined(event for event in events if isinstance(event, Sound))

    def captions(self) -> tuple[Caption, ...]:
        """Return the captions that the file carries."""
        from mmer.edge.media.decode import read_captions  # noqa: PLC0415

        return () if self.text is None else read_captions(self.path, self.text)


def _within_limits(clip: Clip) -> Clip:
    limits = clip.limits
    if clip.video is None and clip.audio is None:
        raise UnreadableMediaError(clip.path, "no video or sound stream in it")
    if clip.video and clip.video.width * clip.video.height > limits.pixels:
        raise MediaLimitError(clip.path, f"frames of {clip.video.width}x{clip.video.height}", f"{limits.pixels} pixels")
    if clip.audio and clip.audio.channels > limits.channels:
        raise MediaLimitError(clip.path, f"{clip.audio.channels} sound channels", str(limits.channels))
    if clip.duration_s and clip.duration_s > limits.duration_s:
        raise MediaLimitError(clip.path, f"{clip.duration_s:.0f} s long", f"{limits.duration_s:.0f} s")
    return clip
