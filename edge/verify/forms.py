"""The ways in which a bundle can run: float, and what may stand in for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mmer.edge.backends.session import Session
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.errors import SettingError
from mmer.edge.launch import RunOptions, open_sessions
from mmer.edge.pipeline.loading import Loaded, Sessions

FLOAT, AUTO = "fp32", "auto"
FORMS = (AUTO, "int8", "fp16")
"""What can be compared with float: what `mmer run` would take here, or every form of a precision by itself."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way of running a bundle."""

    name: str
    """`auto`, or a precision as the manifest names it, such as `int8.ort`."""
    graphs: Mapping[str, Loaded]
    """How each graph runs."""
    sessions: Mapping[str, Session]
    """Of the graphs that do not run in float."""

    @classmethod
    def of(cls, name: str, opened: Sessions) -> "Form":
        """Keep what differs from float of what was opened."""
        swapped = {graph for graph, found in opened.loaded.items() if found.precision != FLOAT}
        return cls(name, opened.loaded, {graph: s for graph, s in opened.sessions.items() if graph in swapped})

    @property
    def swapped(self) -> Mapping[str, str]:
        """The precision of each graph that does not run in float."""
        return {graph: self.graphs[graph].precision for graph in self.sessions}


def reference(bundle: Bundle) -> Sessions:
    """Open every graph in float; raise `SettingError` for a bundle without, `DeviceError` when it runs wrongly."""
    if lacking := [name for name, graph in bundle.manifest.graphs.items() if FLOAT not in graph.files]:
        raise SettingError(f"graph {lacking[0]} has no {FLOAT} form to compare with; take the bundle before it was cut")
    return open_sessions(_holding(bundle, FLOAT), RunOptions(precision=FLOAT))


def forms(bundle: Bundle, precision: str) -> tuple[Form, ...]:
    """Open what is to be compared with float; raise `SettingError` for a precision that the bundle does not have."""
    if precision not in FORMS:
        raise SettingError(f"precision is {precision!r}: compare one of {', '.join(FORMS)} with {FLOAT}")
    if precision == AUTO:
        return (Form.of(AUTO, open_sessions(bundle, RunOptions())),)
    names = held(bundle, precision)
    if not names:
        raise SettingError(f"{bundle.path}: has no {precision} form; make one with `mmer calibrate`")
    options = RunOptions(precision=precision)
    return tuple(Form.of(name, open_sessions(_holding(bundle, FLOAT, name), options)) for name in names)


def held(bundle: Bundle, precision: str) -> tuple[str, ...]:
    """Return the forms of a precision that some graph has, such as `int8.ort` and `int8.ort7`."""
    found = {name for graph in bundle.manifest.graphs.values() for name in graph.files}
    return tuple(sorted(name for name in found if name.split(".")[0] == precision))


def _holding(bundle: Bundle, *precisions: str) -> Bundle:
    """Return the same bundle as if it had been made with these forms only."""
    manifest = bundle.manifest
    graphs = {
        name: replace(graph, files={p: variant for p, variant in graph.files.items() if p in precisions})
        for name, graph in manifest.graphs.items()
    }
    return replace(bundle, manifest=replace(manifest, graphs=graphs))
