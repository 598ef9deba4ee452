"""From a recording to windows; whoever runs, calibrates or measures a model cuts them here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf, isfinite

from mmer.edge.bundle.manifest import Inputs
from mmer.edge.corpus import NO_MEDIA, Entry
from mmer.edge.errors import SettingError
from mmer.edge.faces.crop import Crop, CropRule
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.track import FaceTracker, TrackedFace, TrackSettings
from mmer.edge.faces.whole import whole
from mmer.edge.media.clip import Clip
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Caption, Damage, Event, Frame, Sound
from mmer.edge.media.words import words_of
from mmer.edge.pipeline.stopwatch import Stopwatch
from mmer.edge.pipeline.timeline import Timeline, WindowSettings
from mmer.edge.pipeline.window import Window

NOTHING = Clip(NO_MEDIA, None, None, None, None, (), MediaLimits())
"""What is seen and heard of words alone."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A recording, or a part of one, and what is said in it; or words alone."""

    clip: Clip
    captions: tuple[Caption, ...] = ()
    """On a clock that starts with the stretch, as the windows are."""
    start_s: float = 0.0
    end_s: float = inf
    fills_frame: bool = False
    """Whether every picture of it is a face and nothing else."""

    @classmethod
    def of(cls, entry: Entry, decoder: IsolatedDecoder) -> "Stretch":
        """Return what an index names, with its words or else those of the file; raise `DataError` as `open` does."""
        clip, start_s = decoder.open(entry.path) if entry.has_media else NOTHING, entry.start_s or 0.0
        captions: tuple[Caption, ...] = (Caption(0.0, inf, entry.transcript),)
        if not entry.transcript:
            said = words_of(clip, decoder).captions
            captions = tuple(Caption(c.start_s - start_s, c.end_s - start_s, c.text) for c in said)
        return cls(clip, captions, start_s, inf if entry.end_s is None else entry.end_s, entry.fills_frame)

    @property
    def length_s(self) -> float | None:
        """How long it is as the file and the words say, `None` when neither tells."""
        stated_s = min(self.clip.duration_s or inf, self.end_s) - self.start_s
        if isfinite(stated_s):
            return max(0.0, stated_s)
        said_s = max((c.end_s for c in self.captions if isfinite(c.end_s)), default=None)
        return said_s and min(said_s, self.clip.limits.duration_s)


@dataclass(slots=True)
class Course:
    """What happens while recordings are watched."""

    damage: list[Damage] = field(default_factory=list)
    decoding: Stopwatch = field(default_factory=Stopwatch)
    """How long the next frame or stretch of sound was waited for."""
    faces: Stopwatch = field(default_factory=Stopwatch)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Cuts recordings into windows of one person each."""

    decoder: IsolatedDecoder
    detector: Mtcnn
    inputs: Inputs
    windows: WindowSettings = WindowSettings()
    tracking: TrackSettings = TrackSettings()
    long_side: int = 640
    """Of the frames in which faces are looked for, in pixels."""

    def watch(self, stretch: Stretch, course: Course) -> Iterator[Window]:
        """Yield windows in order of time, each as soon as it is complete; raise `DataError` for what is unreadable."""
        clip = stretch.clip
        streams = [name for name in ("video", "audio") if getattr(clip, name) and getattr(self.inputs, name)]
        timeline = Timeline(self.windows, stretch.captions, streams)
        find = whole if stretch.fills_frame else FaceTracker(self.detector, self.tracking).update
        for event in _timed(self._events(stretch), course.decoding):
            if isinstance(event, Frame):
                with course.faces.running():
                    frame = replace(event, time_s=event.time_s - stretch.start_s)
                    timeline.see(frame.time_s, self._crops(frame, find(frame)))
            elif isinstance(event, Sound):
                timeline.hear(replace(event, time_s=event.time_s - stretch.start_s))
            else:
                course.damage.append(event)
            yield from timeline.complete()
        yield from timeline.finish(self.windows.length_s if stretch.length_s is None else stretch.length_s)

    def _events(self, stretch: Stretch) -> Iterator[Event]:
        clip = stretch.clip
        return self.decoder.events(clip.path, self._request(stretch)) if clip.video or clip.audio else iter(())

    def _request(self, stretch: Stretch) -> Request:
        frames = FrameRequest(self.inputs.video.rate_hz, self.long_side) if self.inputs.video else None
        sound = SoundRequest(self.inputs.audio.rate_hz) if self.inputs.audio else None
        return Request(frames, sound, stretch.start_s, stretch.end_s)

    def _crops(self, frame: Frame, faces: tuple[TrackedFace, ...]) -> Mapping[int, Crop]:
        video = self.inputs.video
        assert video is not None
        rule = CropRule(video.size, video.margin)
        return {seen.track: rule.cut(frame, seen.face.box) for seen in faces}


def check_windows(inputs: Inputs, windows: WindowSettings) -> None:
    """Raise `SettingError` for windows longer than the model can hear."""
    if inputs.audio and windows.length_s * inputs.audio.rate_hz > inputs.audio.max_samples:
        heard_s = inputs.audio.max_samples / inputs.audio.rate_hz
        raise SettingError(
            f"windows of {windows.length_s:g} s cannot be used: the model hears {heard_s:g} s at a time; "
            "choose a shorter length"
        )


def _timed(events: Iterator[Event], watch: Stopwatch) -> Iterator[Event]:
    """Pass events on and measure how long each was waited for."""
    while True:
        with watch.running():
            event = next(events, None)
        if event is None:
            return
        yield event
