"""A media file: what is in it, and its frames, sound and captions by time."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from mmer.edge.errors import MediaLimitError, MediaNotFoundError, UnreadableMediaError
from mmer.edge.media import container as media
from mmer.edge.media import soundfiles
from mmer.edge.media.decode import Event, Source, decode, read_captions
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.soundtrack import joined
from mmer.edge.media.stream import Caption, Frame, Sound


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
        with media.opened(path) as container:
            return _within_limits(_described(path, container, limits))

    def events(self, request: Request) -> Iterator[Event]:
        """Yield frames and sound in the order in which they are stored, in one pass."""
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
        return () if self.text is None else read_captions(self.path, self.text)


def _described(path: Path, container: InputContainer, limits: MediaLimits) -> Clip:
    videos, audios, texts = (
        media.video_streams(container),
        media.audio_streams(container),
        media.text_streams(container),
    )
    ranked: dict[str, Sequence[Stream]] = {"video": videos, "audio": audios, "text": texts}
    return Clip(
        path,
        container.duration / av.time_base if container.duration and container.duration > 0 else None,
        _video(videos[0]) if videos else None,
        _audio(audios[0]) if audios else None,
        texts[0].index if texts else None,
        tuple(
            f"{kind} stream {s[0].index} of {sorted(one.index for one in s)}"
            for kind, s in ranked.items()
            if len(s) > 1
        ),
        limits,
    )


def _video(stream: VideoStream) -> VideoTrack:
    rate_hz = float(stream.average_rate) if stream.average_rate else None
    return VideoTrack(stream.index, stream.codec_context.name, stream.width, stream.height, rate_hz)


def _audio(stream: AudioStream) -> AudioTrack:
    codec = stream.codec_context
    return AudioTrack(stream.index, codec.name, codec.sample_rate, codec.channels)


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
