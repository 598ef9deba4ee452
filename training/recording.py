"""What the networks will see and hear of a clip, at the rates they want it, before any arithmetic."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmer.edge.corpus import Entry
from mmer.edge.faces.crop import Crop, CropRule
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.track import FaceTracker, TrackedFace
from mmer.edge.faces.whole import whole
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.text import TextInput
from mmer.edge.inputs.video import VideoInput
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.soundtrack import joined
from mmer.edge.media.stream import Frame, Sound


@dataclass(frozen=True, slots=True)
class Inputs:
    """How a model sees, hears and reads."""

    video: VideoInput = field(default_factory=VideoInput)
    audio: AudioInput = field(default_factory=AudioInput)
    text: TextInput = field(default_factory=TextInput)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One person's face and the sound between two moments; either may be empty."""

    start_s: float
    end_s: float
    crop_times_s: NDArray[np.float64]
    """`[N]`, ascending."""
    crops: NDArray[np.uint8]
    """`[N, S, S, 3]` RGB."""
    sound: NDArray[np.float32]
    """`[M]`, mono, at the model's rate."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Takes recordings out of media, one pass each; follows the face that is largest for longest."""

    decoder: IsolatedDecoder
    detector: Mtcnn
    inputs: Inputs

    def take(self, entry: Entry) -> Recording:
        """Decode a clip; raise `DataError` when it cannot be. Words alone are an empty recording."""
        if not entry.has_media:
            return _silence(self.inputs.video.size)
        if entry.fills_frame:
            return self._take(entry, whole)
        return self._take(entry, FaceTracker(self.detector).update)

    def _take(self, entry: Entry, find: Callable[[Frame], tuple[TrackedFace, ...]]) -> Recording:
        video, faces = self.inputs.video, _Faces(self.inputs.video)
        sounds: list[Sound] = []
        end_s = start_s = entry.start_s or 0.0
        for event in self.decoder.events(entry.path, self._request(entry)):
            if isinstance(event, Frame):
                faces.see(event, find(event))
                end_s = max(end_s, event.time_s + 1 / video.rate_hz)
            elif isinstance(event, Sound):
                sounds.append(event)
                end_s = max(end_s, event.end_s)
        crops, sound = faces.largest(), joined(sounds)
        return Recording(
            start_s,
            end_s if entry.end_s is None else entry.end_s,
            np.array([crop.time_s for crop in crops], np.float64),
            np.stack([c.pixels for c in crops]) if crops else np.zeros((0, video.size, video.size, 3), np.uint8),
            np.zeros(0, np.float32) if sound is None else sound.samples,
        )

    def _request(self, entry: Entry) -> Request:
        frames, sound = FrameRequest(self.inputs.video.rate_hz), SoundRequest(self.inputs.audio.rate_hz)
        return Request(frames, sound, entry.start_s or 0.0, math.inf if entry.end_s is None else entry.end_s)


def _silence(size: int) -> Recording:
    """Return what is seen and heard of words alone."""
    nothing = np.zeros((0, size, size, 3), np.uint8)
    return Recording(0.0, 0.0, np.zeros(0, np.float64), nothing, np.zeros(0, np.float32))


class _Faces:
    """Crops by track, and how much of the pictures each track filled."""

    def __init__(self, video: VideoInput) -> None:
        self._rule = CropRule(video.size, video.margin)
        self._crops: dict[int, list[Crop]] = {}
        self._areas: dict[int, float] = {}

    def see(self, frame: Frame, faces: tuple[TrackedFace, ...]) -> None:
        for tracked in faces:
            left, top, right, bottom = map(float, tracked.face.box)
            self._crops.setdefault(tracked.track, []).append(self._rule.cut(frame, tracked.face.box))
            self._areas[tracked.track] = self._areas.get(tracked.track, 0.0) + (right - left) * (bottom - top)

    def largest(self) -> list[Crop]:
        if not self._areas:
            return []
        return self._crops[max(self._areas, key=self._areas.__getitem__)]
