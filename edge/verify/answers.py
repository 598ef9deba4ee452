"""What every rival makes of every window."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bundle.manifest import Head
from mmer.edge.bundle.plan import LOGITS, Plan
from mmer.edge.corpus import Entry
from mmer.edge.errors import DataError, DeviceError
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.materials import Material, Materials
from mmer.edge.pipeline.predict import predict
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher
from mmer.edge.pipeline.window import Window
from mmer.edge.verify.clips import recording

Wide = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a window lies."""

    clip: str
    start_s: float
    """On the clock of the recording, as is the end."""
    end_s: float
    track: int | None

    def overlaps(self, other: "Place") -> bool:
        """Tell whether two windows are of one recording and share a moment."""
        return self.clip == other.clip and self.start_s < other.end_s and other.start_s < self.end_s


@dataclass(frozen=True, slots=True)
class Failure:
    """A recording that could not be read, or not to its end."""

    clip: str
    error: DataError | DeviceError


@dataclass(slots=True)
class Answers:
    """What came of all recordings; `R` rivals, `K` labels."""

    clips: list[str] = field(default_factory=list)
    """Every recording that was looked at, or tried."""
    places: list[Place] = field(default_factory=list)
    probabilities: list[Wide] = field(default_factory=list)
    """`[R, K]` of every window."""
    logits: list[Wide] = field(default_factory=list)
    """`[R, K]` of every window."""
    empty: int = 0
    """Windows without anything to look at; of several in a row only the first is met."""
    failures: list[Failure] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    """What could not be decoded and was passed over."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """How often each graph ran in float; 0 for one that no window gave anything to read."""


@dataclass(frozen=True, slots=True)
class Jury:
    """All that is needed to have a recording answered."""

    watcher: Watcher
    materials: Materials
    head: Head
    plan: Plan
    executors: Sequence[Executor]

    def answers(self, entries: Sequence[Entry], progress: Callable[[int], None]) -> Answers:
        """Give every window to every rival; a recording that fails is noted, and the others are answered."""
        found = Answers(list(dict.fromkeys(map(recording, entries))))
        for done, entry in enumerate(entries, start=1):
            clip, course = recording(entry), Course()
            try:
                self._listen(entry, course, found)
            except (DataError, DeviceError) as error:
                found.failures.append(Failure(clip, error))
            found.damage += [f"{clip}: {d.packets} {d.stream} packets lost: {d.reason}" for d in course.damage]
            progress(done)
        found.calls = self._calls()
        return found

    def _calls(self) -> Mapping[str, int]:
        graphs, watches = {stage.name: stage.graph for stage in self.plan.stages}, self.executors[0].watches
        return {
            graph: sum(w.calls for stage, w in watches.items() if graphs[stage] == graph) for graph in graphs.values()
        }

    def _listen(self, entry: Entry, course: Course, found: Answers) -> None:
        for window, material in self._windows(entry, course):
            if material is None:
                found.empty += 1
                continue
            probabilities, logits = self._answer(window, material)
            found.places.append(_place(entry, window))
            found.probabilities.append(probabilities)
            found.logits.append(logits)

    def _windows(self, entry: Entry, course: Course) -> Iterator[tuple[Window, Material | None]]:
        for window in self.watcher.watch(Stretch.of(entry, self.watcher.decoder), course):
            yield window, self.materials.of_window(window)

    def _answer(self, window: Window, material: Material) -> tuple[Wide, Wide]:
        """Return probabilities and logits `[R, K]`; raise `DeviceError` for an answer that is not finite."""
        made = [executor.run(material.values) for executor in self.executors]
        told = [predict(window, material.present, outputs, self.head).probabilities for outputs in made]
        logits = np.stack([outputs[LOGITS][0].astype(np.float64) for outputs in made])
        return np.array([list(each.values()) for each in told]), logits


def _place(entry: Entry, window: Window) -> Place:
    offset_s = entry.start_s or 0.0
    return Place(recording(entry), offset_s + window.start_s, offset_s + window.end_s, window.track)
