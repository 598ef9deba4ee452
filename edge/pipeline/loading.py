"""Opens the graphs of a bundle; each is replayed before it is trusted, and what fails falls back and says so."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from mmer.edge.backends.session import Session
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.golden import check_golden
from mmer.edge.errors import DeviceError, SettingError
from mmer.edge.heap import trim
from mmer.edge.pipeline.trust import Trust

PRECISIONS = ("auto", "fp32", "fp16", "int8")
_ORDER: Mapping[str, Sequence[str]] = {
    "auto": ("int8", "fp32", "fp16"),
    "int8": ("int8", "fp32", "fp16"),
    "fp32": ("fp32", "fp16"),
    "fp16": ("fp16", "fp32"),
}
"""What is tried, in this order; a bundle holds INT8 only for graphs that calibration found faster and right."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How one graph runs."""

    precision: str
    backend: str
    fallback: str | None
    """Why a better precision does not run here."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to open graphs."""

    name: str
    open: Callable[[bytes], Session]
    targets: Sequence[str]
    """The forms it takes of those that are for one runtime alone, the best first."""

    def candidates(self, files: Collection[str], precision: str) -> list[str]:
        """Return those of a graph's files (such as `fp32`, `int8.ort`) that it may open, in the order of trial."""
        forms = [
            f"{wanted}{target}" for wanted in _ORDER[precision] for target in ("", *(f".{t}" for t in self.targets))
        ]
        return [name for name in forms if name in files]

    def foreign(self, files: Collection[str], precision: str) -> list[str]:
        """Return the files of the best precision, where all of them are for other runtimes or processors."""
        best = [name for name in files if name.split(".")[0] == _ORDER[precision][0]]
        return best if not set(best).intersection(self.candidates(files, precision)) else []


@dataclass(frozen=True, slots=True)
class Sessions:
    """The graphs of a bundle, open and checked."""

    sessions: Mapping[str, Session]
    loaded: Mapping[str, Loaded]

    def to_json(self) -> dict[str, object]:
        """Return precision, backend and fallback of every graph."""
        return {name: asdict(loaded) for name, loaded in self.loaded.items()}


def load(bundle: Bundle, precision: str, backend: Backend, trust: Trust) -> Sessions:
    """Open every graph in the best precision that this machine computes rightly; raise `DeviceError` if none does."""
    if precision not in PRECISIONS:
        raise SettingError(f"precision is {precision!r}, not one of {', '.join(PRECISIONS)}")
    loader = _Loader(bundle, backend, dict(trust.known(bundle.digest)))
    before = dict(loader.verdicts)
    opened = dict(loader.graphs(precision))
    if loader.verdicts != before:
        trust.remember(bundle.digest, loader.verdicts)
    names = bundle.manifest.graphs
    return Sessions({name: opened[name][0] for name in names}, {name: opened[name][1] for name in names})


@dataclass(frozen=True, slots=True)
class _Loader:
    bundle: Bundle
    backend: Backend
    verdicts: dict[str, str | None]

    def graphs(self, precision: str) -> Iterator[tuple[str, tuple[Session, Loaded]]]:
        """Open every graph, the largest first: opening one takes three times its size for a moment."""
        for name in sorted(self.bundle.manifest.graphs, key=self._size, reverse=True):
            trim()
            yield name, self.graph(name, precision)

    def _size(self, name: str) -> int:
        manifest = self.bundle.manifest
        return max(manifest.files[variant.path].size for variant in manifest.graphs[name].files.values())

    def graph(self, name: str, precision: str) -> tuple[Session, Loaded]:
        files = self.bundle.manifest.graphs[name].files
        foreign = self.backend.foreign(files, precision)
        wrong = [f"{', '.join(foreign)}: for another runtime or processor, calibrate on this one"] if foreign else []
        for candidate in self.backend.candidates(files, precision):
            try:
                session = self._session(name, candidate)
            except DeviceError as error:
                wrong.append(f"{candidate}: {error}")
                continue
            return session, Loaded(candidate, self.backend.name, "; ".join(wrong) or None)
        raise DeviceError(f"graph {name}: no form of it runs rightly on this machine ({'; '.join(wrong)})")

    def _session(self, name: str, precision: str) -> Session:
        """Open a graph; raise `DeviceError` when it computes something else than where it was made."""
        title = f"{self.backend.name}/{name}.{precision}"
        if (said := self.verdicts.get(title)) is not None:
            raise DeviceError(said)
        session = self.backend.open(self.bundle.graph(name, precision))
        graph = self.bundle.manifest.graphs[name]
        graph.accept(session, f"{self.bundle.path}: {graph.files[precision].path}")
        if title not in self.verdicts:
            try:
                cases = self.bundle.golden(name, precision)
                check_golden(f"{name}.{precision}", session, cases, graph.files[precision].tolerance)
            except DeviceError as error:
                self.verdicts[title] = str(error)
                raise
            self.verdicts[title] = None
        return session
