"""Which packets need not be decoded: those of pictures that sampling passes over and no other picture refers to.

FFmpeg decodes the pictures that others refer to in any case. Of those that none refers to, one is certain to be passed
over when an earlier one serves the same tick. Of 720p H.264 with 25 pictures a second, five of them wanted, this saves
a third of the decoder's work.

What is sampled stays the same to the last pixel, save where a stream is damaged: FFmpeg fills holes with what it
decoded just before, so until the next whole picture the same frames come with other patches.
"""

import math
from typing import TypeAlias

import av
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mmer.edge.media.ticks import TOLERANCE_S, Ticks

AnyPacket: TypeAlias = "Packet[Stream]"

_CODECS = {"h264"}
"""In HEVC a picture that FFmpeg takes for unused may serve a higher layer; elsewhere there is little to save."""
_FORMATS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""Here packets are whole pictures and state their times; elsewhere times are guessed from the pictures before."""
_PROVEN = 16
"""So many pictures must have come, none lost, before the first is spared: as many as H.264 can hold back. By then the
decoder knows the order in which they are shown, and has got over a beginning that refers to what is not there."""
_ROUNDING_S = 1e-6  # the times of packets and pictures are rounded apart
_MOST_SERVED = 64


class Thrift:
    """Decodes a video stream sparingly; in any doubt everything is decoded."""

    def __init__(self, stream: VideoStream, ticks: Ticks, zero_s: float, threads: int) -> None:
        """`zero_s` is the container's time at which the ticks' clock is zero."""
        known = stream.codec_context.name in _CODECS and stream.container.format.name in _FORMATS
        self._safe = known and threads == 1 and ticks.rate_hz is not None  # threads would tell of damage too late
        self._stream = stream
        self._ticks = ticks
        self._zero_s = zero_s
        self._due: set[int] = set()
        self._served: dict[float, float] = {}
        self._came = 0

    def decode(self, packet: AnyPacket) -> list[VideoFrame]:
        """Return the pictures that are ready, as `packet.decode` does, without some that nobody wants."""
        spared = self._safe and self._came >= _PROVEN and self._is_spare(packet)
        self._stream.codec_context.skip_frame = "NONREF" if spared else "DEFAULT"
        try:
            pictures = _pictures(packet)
        except av.FFmpegError:
            self._doubt()
            raise
        if self._safe:
            self._follow(packet, pictures, spared=spared)
        return pictures

    def _follow(self, packet: AnyPacket, pictures: list[VideoFrame], *, spared: bool) -> None:
        if not spared:
            self._expect(packet)
        for picture in pictures:
            self._check(picture)

    def _is_spare(self, packet: AnyPacket) -> bool:
        if packet.pts is None:
            return False
        time_s = self._time_s(packet.pts)
        return any(first_s < time_s < end_s for end_s, first_s in self._served.items())

    def _expect(self, packet: AnyPacket) -> None:
        """Note that a picture is to come, and which tick it serves."""
        if packet.pts is None:
            self._safe = packet.size == 0  # an empty packet only asks for what is held back
        elif not packet.is_discard and not packet.is_corrupt:
            self._due.add(packet.pts)
            self._serve(self._time_s(packet.pts))

    def _serve(self, time_s: float) -> None:
        """Note from when to when no picture is wanted, a little less on both sides."""
        if time_s > self._ticks.start_s:
            end_s = self._ticks.after(time_s - _ROUNDING_S) - TOLERANCE_S - _ROUNDING_S
            self._served[end_s] = min(time_s + _ROUNDING_S, self._served.get(end_s, math.inf))
            if len(self._served) > _MOST_SERVED:
                del self._served[next(iter(self._served))]

    def _check(self, picture: VideoFrame) -> None:
        """Count a picture that came; fields may come in packets of their own, and damage seldom comes alone."""
        if picture.pts is None or picture.interlaced_frame or picture.is_corrupt:
            self._safe = False
            return
        self._came += 1
        self._due.discard(picture.pts)
        if any(pts < picture.pts for pts in self._due):
            self._doubt()

    def _doubt(self) -> None:
        """Begin to prove anew; what is lost after the proof is too much."""
        self._safe = self._safe and self._came < _PROVEN
        self._came = 0
        self._due.clear()
        self._served.clear()

    def _time_s(self, pts: int) -> float:
        return float(pts * self._stream.time_base) - self._zero_s if self._stream.time_base else math.nan


def _pictures(packet: AnyPacket) -> list[VideoFrame]:
    return [picture for picture in packet.decode() if isinstance(picture, VideoFrame)]
