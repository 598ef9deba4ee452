"""The ways in which one model can run, each to be measured beside the others."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mmer.edge.backends.ort import version
from mmer.edge.backends.session import Session
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.launch import RunOptions, open_sessions
from mmer.edge.pipeline.loading import Loaded

ORDER = ("fp32", "auto", "fp16")
"""Precisions to be measured, in this order; one that comes to the same graphs as an earlier one is left out, but
not one whose better form failed on this machine."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a contender is opened in a process of its own."""

    module: str
    """Its `main` does what `mmer.edge.bench.fresh` does."""
    argument: str
    """The precision, or wherever the model lies."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way in which a model runs."""

    name: str
    sessions: Mapping[str, Session]
    graphs: Mapping[str, Loaded]
    size: int
    """Bytes of the files that it computes with."""
    version: str
    """Of what computes."""
    start: Start

    @property
    def precision(self) -> str:
        """The precisions of its graphs, and how many run in each when there are several."""
        names = [loaded.precision for loaded in self.graphs.values()]
        counts = {name: names.count(name) for name in sorted(set(names))}
        return names[0] if len(counts) == 1 else " + ".join(f"{count} {name}" for name, count in counts.items())

    @property
    def backend(self) -> str:
        """What computes."""
        return " + ".join(sorted({loaded.backend for loaded in self.graphs.values()}))

    def to_json(self) -> dict[str, object]:
        """Return everything but the sessions."""
        graphs = {name: asdict(loaded) for name, loaded in self.graphs.items()}
        return {
            "name": self.name,
            "precision": self.precision,
            "backend": self.backend,
            "version": self.version,
            "graphs": graphs,
        }


def contenders(bundle: Bundle, threads: int) -> tuple[Contender, ...]:
    """Open a bundle in float and in every other precision that it has; raise `DeviceError` when none runs rightly."""
    found: dict[tuple[tuple[str, str | None], ...], Contender] = {}
    for precision in ORDER:
        opened = open_sessions(bundle, RunOptions(precision=precision, threads=threads))
        graphs = tuple((loaded.precision, loaded.fallback) for loaded in opened.loaded.values())
        if graphs not in found:
            start = Start("mmer.edge.bench.fresh", precision)
            size = _size(bundle, opened.loaded)
            found[graphs] = Contender(precision, opened.sessions, opened.loaded, size, version(), start)
    return tuple(found.values())


def _size(bundle: Bundle, graphs: Mapping[str, Loaded]) -> int:
    manifest = bundle.manifest
    paths = {manifest.graphs[name].files[loaded.precision].path for name, loaded in graphs.items()}
    return sum(manifest.files[path].size for path in paths)
