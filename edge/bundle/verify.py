"""Whether a bundle computes on this machine what it computed where it was made."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from mmer.edge.backends.session import Session
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.golden import Deviation, GoldenReplayError, replay
from mmer.edge.errors import DeviceError

SCHEMA = "mmer.verify/1"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one file of a graph computed."""

    graph: str
    precision: str
    tolerance: float
    worst: Deviation | None
    """`None` when it did not load or run."""
    error: DeviceError | None

    @property
    def title(self) -> str:
        """Graph and precision."""
        return f"{self.graph}.{self.precision}"


@dataclass(frozen=True, slots=True)
class Verification:
    """The bundle, whose digests are right, and the replay of every file of every graph."""

    bundle: Bundle
    replayed: tuple[Replayed, ...]

    def require(self) -> None:
        """Raise the first `DeviceError`: a graph that deviates, or does not load or run."""
        if error := next((replayed.error for replayed in self.replayed if replayed.error), None):
            raise error

    def to_json(self) -> dict[str, object]:
        """Return everything under the schema `mmer.verify/1`."""
        manifest = self.bundle.manifest
        facts = {"path": str(self.bundle.path), "name": manifest.name, "digest": self.bundle.digest}
        return {
            "schema": SCHEMA,
            "bundle": facts,
            "files": len(manifest.files),
            "bytes": sum(content.size for content in manifest.files.values()),
            "graphs": [_facts(replayed) for replayed in self.replayed],
        }

    def lines(self) -> Iterator[str]:
        """Yield the same as lines of plain text."""
        manifest = self.bundle.manifest
        yield f"{manifest.name}  digest {self.bundle.short}, {len(manifest.files)} files as listed"
        for replayed in self.replayed:
            worst = f"off by {replayed.worst.value:.2g} of its range" if replayed.worst else "does not run"
            state = "FAILED" if replayed.error else "ok"
            yield f"  {replayed.title:<28} {state:<6} {worst}, {replayed.tolerance:g} allowed"


def verify(bundle: Bundle, open_session: Callable[[bytes], Session]) -> Verification:
    """Replay the golden inputs of every file of every graph, and say which deviate.

    Raises `BundleError` when a graph is not the one that the manifest describes.
    """
    names = [(graph, precision) for graph, facts in bundle.manifest.graphs.items() for precision in facts.files]
    return Verification(bundle, tuple(_replayed(bundle, graph, precision, open_session) for graph, precision in names))


def _replayed(bundle: Bundle, name: str, precision: str, open_session: Callable[[bytes], Session]) -> Replayed:
    graph = bundle.manifest.graphs[name]
    tolerance = graph.files[precision].tolerance
    worst = None
    try:
        session = open_session(bundle.graph(name, precision))
        graph.accept(session, f"{bundle.path}: {graph.files[precision].path}")
        worst = replay(session, bundle.golden(name, precision))
    except DeviceError as error:
        return Replayed(name, precision, tolerance, worst, error)
    wrong = GoldenReplayError(f"{name}.{precision}", worst, tolerance) if worst.value > tolerance else None
    return Replayed(name, precision, tolerance, worst, wrong)


def _facts(replayed: Replayed) -> dict[str, object]:
    worst = replayed.worst
    return {
        "graph": replayed.graph,
        "precision": replayed.precision,
        "ok": replayed.error is None,
        "tolerance": replayed.tolerance,
        "worst": worst and {**asdict(worst), "value": worst.value if math.isfinite(worst.value) else None},
        "error": replayed.error and str(replayed.error),
    }
