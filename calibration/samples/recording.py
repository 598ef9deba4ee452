"""The windows that a calibration needs, recorded on disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.calibration.samples.choice import choose
from mmer.calibration.samples.samples import Recorder, Samples, finished
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.backends.ort import OrtSession, OrtSettings
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import NothingToSeeError
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Watcher

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how many of it are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Windows to take ranges from, and windows of other clips to judge by."""

    calibration: Samples
    fresh: Samples


def record(bundle: Bundle, corpus: Corpus, folder: Path, settings: CalibrationSettings, progress: Progress) -> Recorded:
    """Run the float model over windows of the corpus, cut and prepared as the runtime does it.

    Raises `SettingError` for a corpus with too few clips, `DataError` for a clip that cannot be read.
    """
    manifest = bundle.manifest
    choice = choose(corpus, settings.split, settings.fresh / (settings.samples + settings.fresh), settings.seed)
    sessions = {name: OrtSession.open(bundle.graph(name, "fp32")) for name in manifest.graphs}
    with IsolatedDecoder() as decoder:
        apart = WindowSettings(settings.window_s, settings.window_s)
        watcher = Watcher(decoder, Mtcnn.open(OrtSettings()), manifest.inputs, apart)
        recorder = Recorder(watcher, Materials.of(bundle), manifest.plan, manifest.graphs, sessions)

        def taken(title: str, entries: Sequence[Entry], most: int) -> Samples:
            ids: list[str] = []
            for name in recorder.record(entries, most, folder / title):
                ids.append(name)
                progress(f"{title} windows", len(ids), most)
            if not ids:
                raise NothingToSeeError(f"{title} windows", len(entries))
            return finished(folder / title, ids)

        return Recorded(
            taken("calibration", choice.calibration, settings.samples), taken("fresh", choice.fresh, settings.fresh)
        )
