"""From a recording to predictions over time: what `mmer run` does, for Python."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.manifest import Head, Inputs
from mmer.edge.errors import SettingError, TranscriptError
from mmer.edge.faces.crop import Crop, CropRule
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.track import FaceTracker, TrackSettings
from mmer.edge.media.clip import Clip
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Caption, Damage, Frame, Sound
from mmer.edge.media.transcript import read_transcript, transcript_beside
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.loading import Sessions
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.predict import nothing_to_look_at, predict
from mmer.edge.pipeline.stopwatch import Stopwatch
from mmer.edge.pipeline.timeline import Timeline, WindowSettings
from mmer.edge.pipeline.window import Window
from mmer.edge.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Recipe:
    """How recordings are watched."""

    windows: WindowSettings = WindowSettings()
    tracking: TrackSettings = TrackSettings()
    long_side: int = 640
    """Of the frames in which faces are looked for, in pixels."""
    transcript: Path | None = None
    """Words for every source; without it, those beside or inside each file."""


@dataclass(slots=True)
class Watching:
    """One recording while it is watched: what is in it, and what happens on the way."""

    clip: Clip
    words: str
    """Where its words come from."""
    captions: tuple[Caption, ...]
    remark: str | None = None
    """What kept words from being used that were there."""
    damage: list[Damage] = field(default_factory=list)
    decoding: Stopwatch = field(default_factory=Stopwatch)
    faces: Stopwatch = field(default_factory=Stopwatch)


class Recognizer:
    """Watches recordings with one model; for one thread."""

    def __init__(self, materials: Materials, executor: Executor, head: Head, detector: Mtcnn) -> None:
        self._materials = materials
        self._executor = executor
        self._head = head
        self._detector = detector

    @classmethod
    def open(cls, bundle: Bundle, sessions: Sessions, detector: Mtcnn) -> "Recognizer":
        """Return a recognizer for a bundle whose graphs are open."""
        manifest = bundle.manifest
        executor = Executor(manifest.plan, manifest.graphs, sessions.sessions)
        return cls(Materials.of(bundle), executor, manifest.head, detector)

    @property
    def timing(self) -> Mapping[str, Mapping[str, float]]:
        """Calls and times of each stage of the model, over all recordings so far."""
        return self._executor.timing

    def look(self, path: Path, decoder: IsolatedDecoder, recipe: Recipe) -> Watching:
        """Look at what a file holds and where its words are.

        Raises `DataError` when it cannot be used, `SettingError` for windows longer than the model can hear.
        """
        _check_windows(self._materials.inputs, recipe.windows)
        clip, remark = decoder.open(path), None
        if recipe.transcript:
            return Watching(clip, str(recipe.transcript), read_transcript(recipe.transcript))
        if beside := transcript_beside(path):
            try:
                return Watching(clip, str(beside), read_transcript(beside))
            except TranscriptError as error:  # nobody asked for it
                remark = str(error)
        embedded = decoder.captions(path) if clip.text is not None else ()
        none = f"none ({remark})" if remark else "none"
        return Watching(clip, f"text stream {clip.text}" if embedded else none, embedded, remark)

    def watch(self, watching: Watching, decoder: IsolatedDecoder, recipe: Recipe) -> Iterator[Prediction]:
        """Yield the predictions of a recording in order of time, each as soon as its window is complete."""
        clip, inputs = watching.clip, self._materials.inputs
        streams = [name for name in ("video", "audio") if getattr(clip, name) and getattr(inputs, name)]
        timeline = Timeline(recipe.windows, watching.captions, streams)
        tracker = FaceTracker(self._detector, recipe.tracking)
        for event in _timed(decoder.events(clip.path, _request(inputs, recipe)), watching.decoding):
            if isinstance(event, Frame):
                with watching.faces.running():
                    timeline.see(event.time_s, self._crops(event, tracker))
            elif isinstance(event, Sound):
                timeline.hear(event)
            else:
                watching.damage.append(event)
            yield from map(self._answer, timeline.complete())
        yield from map(self._answer, timeline.finish(_length_s(watching, recipe)))

    def _crops(self, frame: Frame, tracker: FaceTracker) -> Mapping[int, Crop]:
        video = self._materials.inputs.video
        assert video is not None
        rule = CropRule(video.size, video.margin)
        return {seen.track: rule.cut(frame, seen.face.box) for seen in tracker.update(frame)}

    def _answer(self, window: Window) -> Prediction:
        material = self._materials.of_window(window)
        if material is None:
            return nothing_to_look_at(window)
        return predict(window, material.present, self._executor.run(material.values), self._head)


def _check_windows(inputs: Inputs, windows: WindowSettings) -> None:
    if inputs.audio and windows.length_s * inputs.audio.rate_hz > inputs.audio.max_samples:
        heard_s = inputs.audio.max_samples / inputs.audio.rate_hz
        raise SettingError(
            f"windows of {windows.length_s:g} s cannot be used: the model hears {heard_s:g} s at a time; "
            "choose a shorter length"
        )


def _length_s(watching: Watching, recipe: Recipe) -> float:
    """Return how long a clip is that has nothing to look at but words: as it says, to its last words, or one window."""
    clip = watching.clip
    said_s = max((c.end_s for c in watching.captions if math.isfinite(c.end_s)), default=0.0)
    return clip.duration_s or min(said_s, clip.limits.duration_s) or recipe.windows.length_s


def _request(inputs: Inputs, recipe: Recipe) -> Request:
    frames = FrameRequest(inputs.video.rate_hz, recipe.long_side) if inputs.video else None
    return Request(frames, SoundRequest(inputs.audio.rate_hz) if inputs.audio else None)


def _timed(events: Iterator[Frame | Sound | Damage], watch: Stopwatch) -> Iterator[Frame | Sound | Damage]:
    """Pass events on and measure how long each was waited for."""
    while True:
        with watch.running():
            event = next(events, None)
        if event is None:
            return
        yield event
