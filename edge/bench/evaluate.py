"""What a bundle gets right on a corpus, by windows as `mmer run` answers them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.bench.judged import Judged, judge
from mmer.edge.bench.judges import Judges, chosen
from mmer.edge.bench.launch import Subject
from mmer.edge.bench.settings import BenchSettings
from mmer.edge.bench.verdict import ALL, SUBSETS, Report, refuse_unknown
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.manifest import Head
from mmer.edge.bundle.plan import WEIGHED
from mmer.edge.corpus import Entry
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.launch import RunOptions, open_sessions
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.materials import Material, Materials
from mmer.edge.pipeline.predict import predict
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Course, Stretch, Watcher
from mmer.edge.pipeline.window import Window

Given = Mapping[str, NDArray[np.float64] | None]
"""Probabilities `[K]` of one clip for each set of modalities; `None` where the clip has none of them."""


def opened(path: Path) -> Subject:
    """Open a bundle to be measured; raise `BundleError` for what is none."""
    bundle = Bundle.open(path)
    return Subject(bundle.manifest.provenance, partial(evaluate_bundle, bundle))


def evaluate_bundle(
    bundle: Bundle,
    judges: Judges,
    split: str,
    subsets: Sequence[str] = (ALL,),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Measure a bundle in its best precision on a split, once for each set of modalities named in `SUBSETS`.

    Raises `SettingError` for clips or sets that it has no answer to, `DataError` for a clip that cannot be read.
    """
    refuse_unknown(subsets)
    manifest, windows = bundle.manifest, WindowSettings()
    entries = chosen(bundle, judges.corpus, BenchSettings(split))
    executor = Executor(manifest.plan, manifest.graphs, open_sessions(bundle, RunOptions()).sessions)
    given: list[Given] = []
    with IsolatedDecoder() as decoder:
        watcher = Watcher(decoder, Mtcnn.open(OrtSettings()), manifest.inputs, windows)
        asked = _Asked(watcher, Materials.of(bundle), executor, manifest.head)
        for done, entry in enumerate(entries, start=1):
            given.append(asked.answers(entry, subsets))
            progress(done)
    labels = manifest.head.labels
    judged = {name: _judged([one[name] for one in given], entries, labels) for name in subsets}
    found = {name: judge(answers, labels) if answers else None for name, answers in judged.items()}
    protocol = f"mean of the probabilities over windows of {windows.length_s:g} s every {windows.hop_s:g} s and people"
    return Report(split, judges.corpus.digest, labels, judges.stamps(split), len(entries), found, protocol)


@dataclass(frozen=True, slots=True)
class _Asked:
    watcher: Watcher
    materials: Materials
    executor: Executor
    head: Head

    def answers(self, entry: Entry, subsets: Sequence[str]) -> Given:
        windows = list(self._windows(entry))
        given = {name: [self._answer(*pair, SUBSETS[name]) for pair in windows] for name in subsets}
        known = {name: [answer for answer in answers if answer is not None] for name, answers in given.items()}
        return {name: np.mean(answers, axis=0) if answers else None for name, answers in known.items()}

    def _windows(self, entry: Entry) -> Iterator[tuple[Window, Material]]:
        for window in self.watcher.watch(Stretch.of(entry, self.watcher.decoder), Course()):
            if (material := self.materials.of_window(window)) is not None:
                yield window, material

    def _answer(self, window: Window, material: Material, bits: Sequence[bool]) -> NDArray[np.float64] | None:
        left = material.only([name for name, kept in zip(WEIGHED, bits, strict=True) if kept])
        if not any(left.present.values()):
            return None
        given = predict(window, left.present, self.executor.run(left.values), self.head)
        return np.array(list(given.probabilities.values()))


def _judged(
    answers: Sequence[NDArray[np.float64] | None], entries: Sequence[Entry], labels: Sequence[str]
) -> Judged | None:
    """Lay answers beside the truth, without the clips that have none."""
    pairs = [(answer, entry) for answer, entry in zip(answers, entries, strict=True) if answer is not None]
    if not pairs:
        return None
    truth = np.array([labels.index(entry.label) for _, entry in pairs], np.intp)
    return Judged(truth, np.stack([answer for answer, _ in pairs]), [entry.speaker for _, entry in pairs])
