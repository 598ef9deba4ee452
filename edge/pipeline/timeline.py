"""From a stream of faces and sound to windows, each given as soon as all that belongs to it has arrived."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmer.edge.errors import SettingError
from mmer.edge.faces.crop import Crop
from mmer.edge.media.soundtrack import between, joined
from mmer.edge.media.stream import Caption, Sound
from mmer.edge.pipeline.window import Window

_STRAGGLING_S = 10.0
"""How far one stream may run ahead of the other before the other is taken to have ended."""
_ROUNDING_S = 0.25
"""A window may end this much after the last thing seen or heard: a frame sampled at 5 Hz stands for 0.2 s."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How long each answer looks, and how often there is one."""

    length_s: float = 4.0
    hop_s: float = 0.5

    def __post_init__(self) -> None:
        if not (0.1 <= self.length_s <= 60 and 0.05 <= self.hop_s <= self.length_s):
            raise SettingError(
                f"windows of {self.length_s:g} s every {self.hop_s:g} s cannot be used: "
                "a window lasts 0.1 to 60 s, and the next begins 0.05 s later or more, at the latest at its end"
            )


class Timeline:
    """Holds what lies inside the windows that are not complete yet, and nothing older.

    Of windows in a row in which nothing is seen, heard or said, only the first is given.
    """

    def __init__(self, settings: WindowSettings, captions: Sequence[Caption], streams: Sequence[str]) -> None:
        """`streams` names those that the clip has, `video` and `audio`."""
        self._settings = settings
        self._captions = captions
        self._reached_s = dict.fromkeys(streams, 0.0)
        self._crops: dict[int, list[Crop]] = {}
        self._sounds: list[Sound] = []
        self._next = 0
        self._in_gap = False

    def see(self, time_s: float, crops: Mapping[int, Crop]) -> None:
        """Take the faces of one sampled frame by track."""
        self._reached_s["video"] = time_s
        for track, crop in crops.items():
            self._crops.setdefault(track, []).append(crop)

    def hear(self, sound: Sound) -> None:
        """Take the next stretch of sound."""
        self._reached_s["audio"] = sound.end_s
        self._sounds.append(sound)

    def complete(self) -> Iterator[Window]:
        """Yield the windows that nothing can be added to any more."""
        if self._reached_s:
            reached_s = self._reached_s.values()
            yield from self._until(max(min(reached_s), max(reached_s) - _STRAGGLING_S))

    def finish(self, length_s: float = 0.0) -> Iterator[Window]:
        """Yield the windows that end with the clip; a clip shorter than a window gives one of its own length.

        `length_s` is where a clip ends that has no streams to tell, or too short ones: of three frames, one is sampled.
        """
        end_s = max(self._reached_s.values(), default=0.0) or length_s
        yield from self._until(end_s + _ROUNDING_S)
        if self._next == 0 and end_s > 0:
            yield from self._windows(0.0, end_s)

    def _until(self, known_s: float) -> Iterator[Window]:
        while (start_s := self._next * self._settings.hop_s) + self._settings.length_s <= known_s:
            self._forget(start_s)
            self._next += 1
            windows = list(self._windows(start_s, start_s + self._settings.length_s))
            was_in_gap, self._in_gap = self._in_gap, all(map(_is_empty, windows))
            if not (was_in_gap and self._in_gap):
                yield from windows
            if self._in_gap:
                self._skip(start_s + self._settings.length_s, known_s)

    def _skip(self, end_s: float, known_s: float) -> None:
        """Go on to the window before the first that may hold something: one wrong time stamp may lie hours ahead."""
        crops = (crop.time_s for crops in self._crops.values() for crop in crops)
        sounds = (max(sound.time_s, end_s) for sound in self._sounds if sound.end_s > end_s)
        begins = (*crops, *sounds, *(caption.start_s for caption in self._captions), known_s)
        ahead_s = min(begin_s for begin_s in begins if begin_s >= end_s)
        self._next = max(self._next, math.floor((ahead_s - self._settings.length_s) / self._settings.hop_s))

    def _windows(self, start_s: float, end_s: float) -> Iterator[Window]:
        """Yield one window for every person in sight, or one for nobody."""
        sound = joined(part for s in self._sounds if (part := between(s, start_s, end_s)) is not None)
        text = " ".join(c.text for c in self._captions if c.start_s < end_s and c.end_s > start_s) or None
        seen = {track: _within(crops, start_s, end_s) for track, crops in self._crops.items()}
        people: list[tuple[int | None, Sequence[Crop]]] = [(track, crops) for track, crops in seen.items() if crops]
        for track, crops in people or [(None, ())]:
            yield Window(start_s, end_s, track, tuple(crops), sound, text)

    def _forget(self, start_s: float) -> None:
        kept = {track: _within(crops, start_s, math.inf) for track, crops in self._crops.items()}
        self._crops = {track: crops for track, crops in kept.items() if crops}
        self._sounds = [sound for sound in self._sounds if sound.end_s > start_s]


def _is_empty(window: Window) -> bool:
    return not window.crops and window.sound is None and window.text is None


def _within(crops: Sequence[Crop], start_s: float, end_s: float) -> list[Crop]:
    return [crop for crop in crops if start_s <= crop.time_s < end_s]
