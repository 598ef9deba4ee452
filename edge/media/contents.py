"""Looks into a media file: which streams it has, and which of them are chosen."""

from collections.abc import Sequence
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from mmer.edge.media import container as media
from mmer.edge.media.clip import AudioTrack, Clip, VideoTrack
from mmer.edge.media.limits import MediaLimits


def clip_of(path: Path, limits: MediaLimits) -> Clip:
    """Return what is in a file; raise `UnreadableMediaError` when FFmpeg cannot tell."""
    with media.opened(path) as container:
        return _described(path, container, limits)


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
