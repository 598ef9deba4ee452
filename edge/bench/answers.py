"""Every contender's answer to every window of labelled clips, and what each of them took."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bench.contender import Contender
from mmer.edge.bench.judged import Judged
from mmer.edge.bench.latency import StageTimes
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Entry
from mmer.edge.errors import NothingToSeeError
from mmer.edge.pipeline.executor import Executor, Item, Kept, Values
from mmer.edge.pipeline.materials import Material, Materials
from mmer.edge.pipeline.predict import predict
from mmer.edge.pipeline.recent import Recent
from mmer.edge.pipeline.stopwatch import Stopwatch
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher
from mmer.edge.pipeline.window import Window


@dataclass(frozen=True, slots=True)
class Setup:
    """A model, the ways in which it runs, and what cuts its windows; the first contender is the reference."""

    bundle: Bundle
    contenders: Sequence[Contender]
    watcher: Watcher
    materials: Materials

    def executor(self, contender: Contender) -> Executor:
        """Return an executor that remembers nothing yet."""
        manifest = self.bundle.manifest
        return Executor(manifest.plan, manifest.graphs, contender.sessions)


@dataclass(slots=True)
class Answers:
    """What came of a pass over the clips; `R` contenders, `K` classes."""

    clips: list[Entry] = field(default_factory=list)
    """Those with a window in which there is something to look at."""
    unanswered: list[Entry] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    """The clip of every window, as a place in `clips`."""
    windows: list[NDArray[np.float64]] = field(default_factory=list)
    """Probabilities `[R, K]` of every window."""
    times_ms: list[NDArray[np.float64]] = field(default_factory=list)
    """`[R + 1]` for every window: the plan of each contender, and last the reference's again."""
    stages: Sequence[Mapping[str, Stopwatch]] = ()
    """For each contender."""
    course: Course = field(default_factory=Course)
    inputs: Stopwatch = field(default_factory=Stopwatch)
    media_s: float = 0.0

    def stage_times(self, contender: int) -> Mapping[str, StageTimes | None]:
        """Return what a contender's stages took, and preparing the inputs, which is done once for all."""
        watches = {"inputs": self.inputs, **self.stages[contender]}
        return {name: StageTimes.of(watch, self.media_s) for name, watch in watches.items()}

    def labels(self, contender: int) -> NDArray[np.intp]:
        """Return a contender's label for every window."""
        likeliest: NDArray[np.intp] = np.stack(self.windows)[:, contender].argmax(axis=1)
        return likeliest

    def judged(self, contender: int, labels: Sequence[str]) -> Judged:
        """Return a contender's answers to clips: the mean of the probabilities over windows and people."""
        given, owners = np.stack(self.windows)[:, contender], np.array(self.owners)
        means = [given[owners == place].mean(axis=0) for place in range(len(self.clips))]
        truth = np.array([labels.index(clip.label) for clip in self.clips], np.intp)
        return Judged(truth, np.stack(means), [clip.speaker for clip in self.clips])


def answer_clips(setup: Setup, entries: Sequence[Entry], progress: Callable[[int], None]) -> Answers:
    """Give every window to every contender, in an order that goes round.

    Raises `DataError` for a clip that cannot be read, or when there is nothing to look at in any.
    """
    found, rota = Answers(), _Rota(setup)
    for done, entry in enumerate(entries, start=1):
        before = len(found.windows)
        for window, material in _materials(setup, entry, found):
            rota.warm(material.values)
            probabilities, times_ms = rota.answer(window, material)
            found.owners.append(len(found.clips))
            found.windows.append(probabilities)
            found.times_ms.append(times_ms)
        (found.clips if len(found.windows) > before else found.unanswered).append(entry)
        progress(done)
    if not found.clips:
        raise NothingToSeeError("clips to judge by", len(entries))
    found.stages = rota.stages
    return found


def _materials(setup: Setup, entry: Entry, found: Answers) -> Iterator[tuple[Window, Material]]:
    """Yield the windows of a clip that hold something, with every array of theirs made."""
    stretch, end_s = Stretch.of(entry, setup.watcher.decoder), 0.0
    known: Recent[NDArray[Any]] = Recent(Kept().frames)
    for window in setup.watcher.watch(stretch, found.course):
        with found.inputs.running():
            material = setup.materials.of_window(window)
            ready = material and Material(_made(material.values, known), material.present)
        end_s = window.end_s
        if ready:
            yield window, ready
    found.media_s += stretch.length_s or end_s


def _made(values: Values, known: Recent[NDArray[Any]]) -> Values:
    """Return values whose arrays are there: none of the contenders is to pay for what all of them share."""
    return {name: [_item(name, item, known) for item in items] for name, items in values.items()}


def _item(name: str, item: Item, known: Recent[NDArray[Any]]) -> Item:
    array = known.get((name, item.key))
    if array is None:
        array = item.make()
        known.put((name, item.key), array)
    return Item(item.key, partial(np.asarray, array))


class _Rota:
    """Runs all contenders, and the reference a second time, each time another one first."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._executors = [setup.executor(c) for c in (*setup.contenders, setup.contenders[0])]
        self._turn = 0

    @property
    def stages(self) -> Sequence[Mapping[str, Stopwatch]]:
        """The watches of every contender."""
        return [executor.watches for executor in self._executors[:-1]]

    def warm(self, values: Values) -> None:
        """Run everything once before the first window counts, with executors that are then forgotten."""
        if self._turn == 0:
            for contender in self._setup.contenders:
                self._setup.executor(contender).run(values)

    def answer(self, window: Window, material: Material) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return probabilities `[R, K]` and times `[R + 1]` in ms; raise `DeviceError` for an answer not finite."""
        places = range(len(self._executors))
        answers, times_ms = {}, np.zeros(len(places))
        for place in rotated(places, self._turn):
            start = perf_counter()
            outputs = self._executors[place].run(material.values)
            times_ms[place] = (perf_counter() - start) * 1e3
            prediction = predict(window, material.present, outputs, self._setup.bundle.manifest.head)
            answers[place] = list(prediction.probabilities.values())
        self._turn += 1
        return np.array([answers[place] for place in places[:-1]]), times_ms


def rotated(places: Sequence[int], turn: int) -> list[int]:
    """Return the order of one turn: each is first as often as any other, and every other round goes backwards."""
    first = turn % len(places)
    order = [*places[first:], *places[:first]]
    return order[::-1] if turn // len(places) % 2 else order
