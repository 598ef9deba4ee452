"""What `mmer run` does: opens a bundle on this machine, watches every source and hands out lines as they come."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.backends.ort import OrtSession, OrtSettings, version
from mmer.edge.backends.targets import ort_targets
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.cache import cache_folder
from mmer.edge.doctor.examine import processor
from mmer.edge.errors import SettingError
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.heap import be_frugal, trim
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.memory import peak_rss_mb
from mmer.edge.pipeline.loading import Backend, Sessions, load
from mmer.edge.pipeline.trust import Trust
from mmer.edge.prediction import Prediction
from mmer.edge.recognizer import Recipe, Recognizer
from mmer.edge.run import Listener, Run, report, run
from mmer.edge.shipped import BUNDLE
from mmer.edge.sinks.formats import FORMATS
from mmer.edge.sources import sources

DEVICES = ("auto", "cpu")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Which model, and how it computes."""

    bundle: Path | None = None
    """`None` for the one that ships with mmer."""
    device: str = "auto"
    precision: str = "auto"
    threads: int = 1
    recipe: Recipe = Recipe()


@dataclass(frozen=True, slots=True)
class Finished:
    """All runs, and the bundle that they were made with."""

    bundle: Bundle
    sessions: Sessions
    runs: tuple[Run, ...]
    peak_rss_mb: float | None = None
    """Of this process and the decoder's together; `None` where the system does not tell."""

    @property
    def exit_code(self) -> int:
        """9 when the device failed, 3 when a source could not be used, or not to its end, else 0."""
        return max((one.error.exit_code for one in self.runs if one.error), default=0)

    def to_json(self) -> dict[str, object]:
        """Return everything under the schema `mmer.run/1`."""
        manifest = self.bundle.manifest
        facts = {"name": manifest.name, "digest": self.bundle.digest, "notice": manifest.notice}
        return report(self.runs, {**facts, "graphs": self.sessions.to_json()}, self.peak_rss_mb)

    def remarks(self) -> Iterator[str]:
        """Yield what a person should know beside the answers."""
        yield f"bundle {self.bundle.manifest.name}, digest {self.bundle.short}"
        if notice := self.bundle.manifest.notice:
            yield f"note: {notice}"
        for name, loaded in self.sessions.loaded.items():
            if loaded.fallback:
                yield f"note: graph {name} runs in {loaded.precision}: {loaded.fallback}"
        for one in self.runs:
            if one.error:
                yield f"error: {one.error}"
            if one.watching and one.watching.words.remark:
                yield f"note: words left out: {one.watching.words.remark}"
            yield from (f"note: {one.source}: {d.packets} {d.stream} packets lost: {d.reason}" for d in one.damage)


def launch(
    names: Sequence[str], options: RunOptions, form: str, write: Callable[[str], None], *, keep: bool
) -> Finished:
    """Watch the sources that the names stand for; `write` gets each line of the answer as soon as it is known.

    Nothing is written before the first prediction. With `keep`, predictions are also held for `Finished.to_json`.
    """
    if form not in FORMATS:
        raise SettingError(f"no format is called {form!r}; there are: {', '.join(FORMATS)}")
    paths = sources(names)
    be_frugal()
    with IsolatedDecoder() as decoder:  # gets ready while the bundle is opened
        bundle = Bundle.open(options.bundle or BUNDLE)
        sessions = open_sessions(bundle, options)
        recognizer = Recognizer.open(bundle, sessions, Mtcnn.open(OrtSettings(options.threads)))
        trim()
        lines = FORMATS[form](bundle.manifest.head.labels, bundle.manifest.notice)
        heads = [head for head in [lines.head()] if head is not None]

        def hear(source: Path, prediction: Prediction) -> None:
            while heads:
                write(heads.pop())
            write(lines.line(str(source), prediction))

        runs = tuple(run(paths, recognizer, options.recipe, decoder, Listener(hear, keep=keep)))
    return Finished(bundle, sessions, runs, peak_rss_mb(decoder.peak_mb))


def open_sessions(bundle: Bundle, options: RunOptions) -> Sessions:
    """Open the graphs of a bundle, each replayed on this machine once."""
    if options.device not in DEVICES:
        raise SettingError(f"device is {options.device!r}, not one of {', '.join(DEVICES)}")
    settings = OrtSettings(options.threads)
    cpu = processor()
    backend = Backend("onnxruntime", lambda graph: OrtSession.open(graph, settings), ort_targets(cpu.features))
    machine = "\n".join((cpu.model, *cpu.features, f"onnxruntime {version()}"))
    return load(bundle, options.precision, backend, Trust(cache_folder(os.environ), machine))
