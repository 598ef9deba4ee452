"""From a recording to predictions over time: what `mmer run` does, for Python."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.manifest import Head
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.track import TrackSettings
from mmer.edge.media.clip import Clip
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.transcript import read_transcript
from mmer.edge.media.words import Words, words_of
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.loading import Sessions
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.predict import nothing_to_look_at, predict
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher, check_windows
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


@dataclass(frozen=True, slots=True)
class Watching:
    """One recording while it is watched: what is in it, and what happens on the way."""

    clip: Clip
    words: Words
    course: Course = field(default_factory=Course)


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
        check_windows(self._materials.inputs, recipe.windows)
        clip = decoder.open(path)
        if recipe.transcript:
            return Watching(clip, Words(str(recipe.transcript), read_transcript(recipe.transcript)))
        return Watching(clip, words_of(clip, decoder))

    def watch(self, watching: Watching, decoder: IsolatedDecoder, recipe: Recipe) -> Iterator[Prediction]:
        """Yield the predictions of a recording in order of time, each as soon as its window is complete."""
        inputs = self._materials.inputs
        watcher = Watcher(decoder, self._detector, inputs, recipe.windows, recipe.tracking, recipe.long_side)
        windows = watcher.watch(Stretch(watching.clip, watching.words.captions), watching.course)
        yield from map(self.answer, windows)

    def answer(self, window: Window) -> Prediction:
        """Answer one window."""
        material = self._materials.of_window(window)
        if material is None:
            return nothing_to_look_at(window)
        return predict(window, material.present, self._executor.run(material.values), self._head)
