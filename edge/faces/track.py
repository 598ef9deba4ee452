"""Faces followed from frame to frame, at a fraction of the cost of finding them again in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from mmer.edge.errors import SettingError
from mmer.edge.faces.box import Boxes, grow, iou, pairs
from mmer.edge.faces.mtcnn import Face, Mtcnn
from mmer.edge.faces.scene import glance, is_cut, is_dark
from mmer.edge.media.stream import Frame

HIDDEN = 0.6
"""Two followed faces whose boxes overlap more have become one: the nearer hides the other."""

REACH, MEETING = 2.0, 0.2
"""A detected face is a known one when the boxes, grown by the first, overlap by the second: a head that walks past
may move by its own width between two sampled frames."""


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How often to look at the whole frame, and when a face is still the same one."""

    every: int = 5
    """Detect in every so many frames while one large face is in view; the last network alone follows it between."""
    often: int = 2
    """The same with no, several or small faces."""
    small_px: float = 50.0
    """Width in pixels of the frames given: 100 source pixels of 720p seen at 640."""
    score: float = 0.75
    """A followed face that scores less calls for detection at once."""
    gap_s: float = 1.0
    """A face that comes back within this time is the same one."""
    max_faces: int = 8

    def __post_init__(self) -> None:
        for name, value in (("every", self.every), ("often", self.often), ("max_faces", self.max_faces)):
            if value < 1:
                raise SettingError(f"{name} is {value}; it must be 1 or more")


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face and the number of its track; a number is never used again."""

    track: int
    face: Face


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    number: int
    face: Face
    time_s: float
    drift: NDArray[np.float32]
    """`[2]` pixels per second of the centre."""

    def expected(self, time_s: float) -> NDArray[np.float32]:
        box: NDArray[np.float32] = self.face.box + np.tile(self.drift * np.float32(time_s - self.time_s), 2)
        return box

    def seen(self, face: Face, time_s: float) -> "_Track":
        moved = (face.box - self.face.box).reshape(2, 2).mean(axis=0)
        drift = (self.drift + moved / np.float32(max(time_s - self.time_s, 0.01))) / 2
        return _Track(self.number, face, time_s, drift)


class FaceTracker:
    """Follows faces through the frames of one clip, given in order."""

    def __init__(self, detector: Mtcnn, settings: TrackSettings = TrackSettings()) -> None:
        self._detector = detector
        self._settings = settings
        self._numbers = count()
        self._live: list[_Track] = []
        self._lost: list[_Track] = []
        self._view: NDArray[np.float32] | None = None
        self._wait = 0
        self.detections = 0
        """How many frames were searched as a whole."""

    def update(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """Return the faces of the next frame; a black frame has none and ends no track by itself."""
        if is_dark(frame.pixels):
            self._lost += self._live
            self._live, self._wait = [], 0
            return ()
        self._forget(frame)
        if self._wait == 0 or not self._follow(frame):
            self._search(frame)
        self._wait -= 1
        return tuple(TrackedFace(track.number, track.face) for track in self._live)

    def _forget(self, frame: Frame) -> None:
        view = glance(frame.pixels)
        if self._view is not None and is_cut(self._view, view):
            self._live, self._lost, self._wait = [], [], 0
        self._view = view
        self._lost = [track for track in self._lost if frame.time_s - track.time_s <= self._settings.gap_s]

    def _follow(self, frame: Frame) -> bool:
        """Move the live tracks along; return False, having changed nothing, when that is not safe."""
        if not self._live:
            return True
        faces = self._detector.refine(frame.pixels, _boxes([track.face for track in self._live]))
        boxes = _boxes(faces)
        hidden = len(faces) > 1 and np.triu(iou(boxes, boxes), k=1).max() > HIDDEN
        if hidden or min(face.score for face in faces) < self._settings.score:
            return False
        self._live = [track.seen(face, frame.time_s) for track, face in zip(self._live, faces, strict=True)]
        return True

    def _search(self, frame: Frame) -> None:
        faces = self._detector.detect(frame.pixels)
        self.detections += 1
        known, most = self._live + self._lost, self._settings.max_faces
        again = _recognised(known, faces, frame.time_s)[:most]
        live = [known[old].seen(faces[index], frame.time_s) for old, index in again]
        strangers = [face for index, face in enumerate(faces) if index not in {index for _, index in again}]
        strangers.sort(key=_size, reverse=True)
        still = np.zeros(2, np.float32)
        live += [_Track(next(self._numbers), face, frame.time_s, still) for face in strangers[: most - len(live)]]
        self._lost = [track for old, track in enumerate(known) if old not in {old for old, _ in again}]
        self._live = sorted(live, key=lambda track: track.number)
        self._wait = self._interval()

    def _interval(self) -> int:
        if self._lost and not self._live:
            return 1
        one_large = len(self._live) == 1 and _size(self._live[0].face) >= self._settings.small_px
        return self._settings.every if one_large and not self._lost else self._settings.often


def _recognised(known: Sequence[_Track], faces: Sequence[Face], time_s: float) -> list[tuple[int, int]]:
    if not known or not faces:
        return []
    expected = np.stack([track.expected(time_s) for track in known])
    return pairs(grow(expected, REACH), grow(_boxes(faces), REACH), MEETING)


def _boxes(faces: Sequence[Face]) -> Boxes:
    return np.stack([face.box for face in faces])


def _size(face: Face) -> float:
    return float(face.box[2] - face.box[0])
