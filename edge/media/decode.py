"""One pass through a file that yields frames and sound in the order in which they are stored."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mmer.edge.errors import MediaLimitError, UnreadableMediaError
from mmer.edge.media import container as media
from mmer.edge.media import soundfiles
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.mono import Mono
from mmer.edge.media.pictures import Pictures
from mmer.edge.media.request import FrameRequest, Request
from mmer.edge.media.soundtrack import Soundtrack, between
from mmer.edge.media.stream import Caption, Damage, Event, Frame, Sound
from mmer.edge.media.thrift import Thrift
from mmer.edge.media.ticks import Ticks
from mmer.edge.media.transcript import plain

AnyPacket: TypeAlias = "Packet[Stream]"

_PREROLL_S = 0.2
"""Sound decoders need a few packets before they are exact."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file and the streams to read from it, by index."""

    path: Path
    video: int | None
    audio: int | None
    limits: MediaLimits
    by_libsndfile: bool = False


def decode(source: Source, request: Request) -> Iterator[Event]:
    """Yield what the request asks for; raise `DataError` when nothing at all can be decoded."""
    if source.by_libsndfile:
        yield from _sound_file(source, request)
        return
    with media.opened(source.path) as container:
        yield from _Pass(container, source, request).events()


def read_captions(path: Path, index: int) -> tuple[Caption, ...]:
    """Return the captions of an embedded text stream."""
    found = []
    with media.opened(path) as container:
        zero_s = media.clock_zero_s(container)
        for packet in container.demux(container.streams[index]):
            if packet.pts is None or packet.time_base is None:
                continue
            start_s = float(packet.pts * packet.time_base) - zero_s
            length_s = float((packet.duration or 0) * packet.time_base)
            words = plain(" ".join(_dialogue(packet)))
            if words:
                found.append(Caption(start_s, start_s + length_s if length_s else math.inf, words))
    return tuple(found)


def _dialogue(packet: AnyPacket) -> Iterator[str]:
    for text in packet.decode():
        raw = getattr(text, "dialogue", b"") or getattr(text, "text", b"")
        yield raw.decode("utf-8", "replace").replace("\\N", " ")


def _sound_file(source: Source, request: Request) -> Iterator[Sound]:
    if request.sound is None:
        return
    track = Soundtrack(request.sound.rate_hz)
    for time_s, rate_hz, samples in soundfiles.blocks(source.path, request.start_s):
        if time_s >= request.end_s:
            break
        yield from _cut(track.push(samples, time_s, rate_hz), request)
    yield from _cut(track.flush(), request)


def _cut(sounds: Iterator[Sound], request: Request) -> Iterator[Sound]:
    for sound in sounds:
        if (part := between(sound, request.start_s, request.end_s)) is not None:
            yield part


class _Pass:
    """The state of one pass: clocks, converters and what went wrong."""

    def __init__(self, container: InputContainer, source: Source, request: Request) -> None:
        self._container = container
        self._source = source
        self._request = request
        self._zero_s = media.clock_zero_s(container)
        self._video = container.streams[source.video] if request.frames and source.video is not None else None
        self._audio = container.streams[source.audio] if request.sound and source.audio is not None else None
        wanted = request.frames or FrameRequest()
        ticks = Ticks(request.start_s, wanted.rate_hz)
        self._pictures = Pictures(ticks, wanted.long_side, _aspect(self._video))
        self._thrift = (
            Thrift(self._video, ticks, self._zero_s, request.threads) if isinstance(self._video, VideoStream) else None
        )
        self._soundtrack = Soundtrack(request.sound.rate_hz if request.sound else 1)
        self._mono = Mono()
        self._now_s: dict[int, float] = {}
        self._damage: dict[int, Damage] = {}

    def events(self) -> Iterator[Event]:
        streams = [s for s in (self._video, self._audio) if s is not None]
        if not streams:
            return
        self._prepare()
        for packet in self._packets(streams):
            yield from self._decoded(packet)
            if all(self._now_s.get(s.index, -math.inf) >= self._request.end_s for s in streams):
                break
        yield from _cut(self._soundtrack.flush(), self._request)
        yield from self._damage.values()
        if not self._now_s:
            said = next((d.reason for d in self._damage.values()), "nothing in it could be decoded")
            raise UnreadableMediaError(self._source.path, said)

    def _prepare(self) -> None:
        if isinstance(self._video, VideoStream):
            self._video.thread_type = "AUTO" if self._request.threads > 1 else "SLICE"
            self._video.codec_context.thread_count = self._request.threads
            self._video.codec_context.options = {"max_pixels": str(self._source.limits.pixels)}
        if self._request.start_s > _PREROLL_S:
            self._container.seek(int((self._request.start_s - _PREROLL_S + self._zero_s) * av.time_base))

    def _packets(self, streams: list[Stream]) -> Iterator[AnyPacket]:
        """Demux to the end, or to where the file breaks."""
        try:
            yield from self._container.demux(streams)
        except av.FFmpegError as error:
            self._blame(streams[0], error)

    def _decoded(self, packet: AnyPacket) -> Iterator[Event]:
        thrifty = packet.stream is self._video and self._thrift
        try:
            decoded = thrifty.decode(packet) if thrifty else packet.decode()
        except av.FFmpegError as error:
            self._blame(packet.stream, error)
            return
        for item in decoded:
            time_s = self._time_s(item, packet.stream)
            if isinstance(item, VideoFrame):
                yield from self._picture(item, time_s)
            elif isinstance(item, AudioFrame):
                sounds = self._soundtrack.push(self._mono.samples(item), time_s, item.sample_rate)
                yield from _cut(sounds, self._request)

    def _picture(self, picture: VideoFrame, time_s: float) -> Iterator[Frame]:
        if self._request.start_s <= time_s < self._request.end_s:
            if picture.width * picture.height > self._source.limits.pixels:
                raise MediaLimitError(self._source.path, "a frame too large", f"{self._source.limits.pixels} pixels")
            if (frame := self._pictures.frame(picture, time_s)) is not None:
                yield frame

    def _time_s(self, item: object, stream: Stream) -> float:
        """Return the item's own time, or for streams without times the moment after the item before."""
        stated = getattr(item, "time", None)
        time_s = self._now_s.get(stream.index, 0.0) if stated is None else float(stated) - self._zero_s
        if time_s > self._source.limits.duration_s:
            raise MediaLimitError(
                self._source.path, f"a time stamp of {time_s:.0f} s", f"{self._source.limits.duration_s:.0f} s"
            )
        self._now_s[stream.index] = time_s + _length_s(item, stream)
        return time_s

    def _blame(self, stream: Stream, error: Exception) -> None:
        before = self._damage.get(stream.index)
        packets = before.packets + 1 if before else 1
        self._damage[stream.index] = Damage(stream.type, packets, media.reason(error))


def _length_s(item: object, stream: Stream) -> float:
    if isinstance(item, AudioFrame):
        return item.samples / item.sample_rate
    rate = getattr(stream, "average_rate", None)
    return float(1 / rate) if rate else 1 / 25


def _aspect(stream: Stream | None) -> float:
    ratio = getattr(stream, "sample_aspect_ratio", None)
    return float(ratio) if ratio else 1.0
