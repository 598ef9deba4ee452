"""Windows and what each graph was given for them, kept on disk: any number fits, and each can be read again."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmer.calibration.samples.shelf import Journal, Line, Shelf, files, read
from mmer.edge.backends.session import Session
from mmer.edge.bundle.graph import Graph
from mmer.edge.bundle.plan import Plan
from mmer.edge.corpus import Entry
from mmer.edge.pipeline.executor import Executor, Item, Values
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher
from mmer.edge.pipeline.window import Window
from mmer.edge.tensors import Tensors

_WINDOWS, _GRAPHS = "windows", "graphs"


@dataclass(frozen=True, slots=True)
class Samples:
    """Recorded windows."""

    folder: Path
    ids: tuple[str, ...]
    """Clip, times and person of every window."""
    digest: str
    """SHA-256 over every number that the plan started from."""

    def inputs(self, graph: str) -> Iterator[Tensors]:
        """Yield what a graph was given, one after another; what came twice stands here once."""
        return map(read, files(self.folder / _GRAPHS / graph))

    def windows(self, plan: Plan) -> Iterator[Values]:
        """Yield what the plan starts from, window by window."""
        for number, path in enumerate(files(self.folder / _WINDOWS)):
            yield {name: _items(number, name, array, plan) for name, array in read(path).items()}

    def to_json(self) -> dict[str, object]:
        """Return which windows these are."""
        return {"windows": len(self.ids), "digest": self.digest, "ids": list(self.ids)}


@dataclass(frozen=True, slots=True)
class Recorder:
    """Runs the float model over windows and writes down what goes into each graph."""

    watcher: Watcher
    materials: Materials
    plan: Plan
    graphs: Mapping[str, Graph]
    sessions: Mapping[str, Session]

    def record(self, entries: Sequence[Entry], most: int, folder: Path) -> Iterator[str]:
        """Yield the id of each window that was kept, `most` at most, spread evenly over the clips.

        What an interrupted recording left in the folder is kept as far as its clips are whole. Raises `DataError` for
        a clip that cannot be read.
        """
        places = {_WINDOWS: folder / _WINDOWS} | {f"{_GRAPHS}/{name}": folder / _GRAPHS / name for name in self.graphs}
        journal = Journal(folder)
        journal.clear(places)
        known = list(journal.lines())
        shelves = {name: Shelf.open(place) for name, place in places.items()}
        count = 0
        for number, entry in enumerate(entries):
            if number < len(known):
                ids = known[number].ids
            else:
                ids = tuple(self._recorded(entry, -(-(most - count) // (len(entries) - number)), shelves))
                journal.add(Line(ids, {name: len(shelf) for name, shelf in shelves.items()}))
            count += len(ids)
            yield from ids

    def _recorded(self, entry: Entry, most: int, shelves: Mapping[str, Shelf]) -> Iterator[str]:
        """Record a clip by itself: what comes of it depends on no clip before."""
        sessions = {name: _Tap(session, shelves[f"{_GRAPHS}/{name}"]) for name, session in self.sessions.items()}
        executor = Executor(self.plan, self.graphs, sessions)
        for window, values in self._usable(entry, most):
            executor.run(values)
            used = {name: items for name, items in values.items() if name in self.plan.rates}
            shelves[_WINDOWS].put({name: _array(items, name, self.plan) for name, items in used.items()})
            yield _title(entry, window)

    def _usable(self, entry: Entry, most: int) -> Iterator[tuple[Window, Values]]:
        """Yield the first windows of a clip in which there is something to look at."""
        windows = self.watcher.watch(Stretch.of(entry, self.watcher.decoder), Course())
        found = ((window, self.materials.of_window(window)) for window in windows)
        usable = ((window, material.values) for window, material in found if material is not None)
        return islice(usable, most)


def finished(folder: Path, ids: Sequence[str]) -> Samples:
    """Return what was recorded in a folder."""
    digest = hashlib.sha256()
    for path in files(folder / _WINDOWS):
        for name, array in read(path).items():
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
    return Samples(folder, tuple(ids), digest.hexdigest())


class _Tap:
    """A session that writes down what it is given."""

    def __init__(self, session: Session, shelf: Shelf) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self._session = session
        self._shelf = shelf

    def run(self, inputs: Tensors) -> Tensors:
        """Compute all outputs."""
        self._shelf.put_once(inputs)
        return self._session.run(inputs)


def _title(entry: Entry, window: Window) -> str:
    start_s = entry.start_s or 0.0
    who = "" if window.track is None else f" person {window.track}"
    return f"{entry.path.name or 'words'} {start_s + window.start_s:.2f}-{start_s + window.end_s:.2f} s{who}"


def _array(items: Sequence[Item], name: str, plan: Plan) -> NDArray[Any]:
    """Return one array; that of a frame-rate value has a leading axis of frames."""
    return np.stack([item.make() for item in items]) if plan.rates[name] == "frame" else items[0].make()


def _items(number: int, name: str, array: NDArray[Any], plan: Plan) -> Sequence[Item]:
    parts = list(array) if plan.rates[name] == "frame" else [array]
    return [Item((number, name, index), lambda part=part: part) for index, part in enumerate(parts)]  # type: ignore[misc]
