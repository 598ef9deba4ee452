"""Whole clips from file to answers, timed: what a user of the model waits for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from mmer.edge.bench.answers import Setup, rotated
from mmer.edge.bench.contender import Contender
from mmer.edge.bench.latency import Spread, StageTimes
from mmer.edge.corpus import Entry
from mmer.edge.pipeline.watcher import Course, Stretch
from mmer.edge.recognizer import Recognizer

LEAST = 3
"""Rounds of all contenders, however little time there is."""


@dataclass(frozen=True, slots=True)
class Lap:
    """One clip, watched by one contender."""

    wall_ms: float
    windows: int
    media_s: float


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """All laps of one contender."""

    window_ms: Spread
    """Of the clips' mean times for a window."""
    rtf: float
    """Seconds that a second of a recording takes."""
    laps: int
    media: Mapping[str, StageTimes | None]
    """What comes before the model: waiting for the decoder, which works on meanwhile, and finding faces."""

    @classmethod
    def of(cls, laps: Sequence[Lap], course: Course) -> "EndToEnd":
        """Sum up one lap or more."""
        media_s = sum(lap.media_s for lap in laps)
        rtf = round(sum(lap.wall_ms for lap in laps) / 1e3 / media_s, 4)
        watches = {"decode": course.decoding, "faces": course.faces}
        media = {name: StageTimes.of(watch, media_s) for name, watch in watches.items()}
        return cls(Spread.of([lap.wall_ms / lap.windows for lap in laps]), rtf, len(laps), media)


def run_laps(
    setup: Setup, entries: Sequence[Entry], seconds: float, progress: Callable[[float], None]
) -> list[EndToEnd]:
    """Let all contenders watch one clip after another, each time another one first, until the time is over.

    The first clip is watched once before, to warm up. `progress` hears how many seconds have passed.
    """
    for contender in setup.contenders:
        _lap(setup, contender, entries[0], Course())
    laps: list[list[Lap]] = [[] for _ in setup.contenders]
    courses = [Course() for _ in setup.contenders]
    order = np.random.default_rng(0).permutation(len(entries))  # clips of one class or speaker stand together
    start, turn, spent_s = perf_counter(), 0, 0.0
    while turn < LEAST or spent_s < seconds:
        entry = entries[order[turn % len(entries)]]
        for place in rotated(range(len(laps)), turn):
            laps[place].append(_lap(setup, setup.contenders[place], entry, courses[place]))
        turn, spent_s = turn + 1, perf_counter() - start
        progress(min(spent_s, seconds))
    return list(map(EndToEnd.of, laps, courses))


def _lap(setup: Setup, contender: Contender, entry: Entry, course: Course) -> Lap:
    """Watch a clip with nothing remembered: what was computed in an earlier lap must not count."""
    head = setup.bundle.manifest.head
    recognizer = Recognizer(setup.materials, setup.executor(contender), head, setup.watcher.detector)
    start = perf_counter()
    stretch = Stretch.of(entry, setup.watcher.decoder)
    answers = [recognizer.answer(window) for window in setup.watcher.watch(stretch, course)]
    wall_ms = (perf_counter() - start) * 1e3
    return Lap(wall_ms, len(answers), stretch.length_s or answers[-1].end_s)
