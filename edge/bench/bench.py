"""Accuracy against latency: every form of a model on the same windows, beside a reference."""

import gc
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.bench.answers import Answers, Setup, answer_clips
from mmer.edge.bench.contender import Contender
from mmer.edge.bench.fresh import Fresh, Order, start_afresh
from mmer.edge.bench.judged import Evaluation, judge
from mmer.edge.bench.judges import Judges, chosen, data_facts
from mmer.edge.bench.laps import EndToEnd, run_laps
from mmer.edge.bench.latency import Noise, Spread, StageTimes
from mmer.edge.bench.paired import Comparison, agreement, compare
from mmer.edge.bench.settings import BenchSettings
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Entry
from mmer.edge.doctor.examine import processor
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.watcher import Watcher, check_windows

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how many of it are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a contender takes as a whole."""

    end_to_end: EndToEnd | None
    """`None` when no time was given for it."""
    fresh: Fresh


@dataclass(frozen=True, slots=True)
class Row:
    """One contender's figures."""

    contender: Contender
    evaluation: Evaluation
    comparison: Comparison | None
    """`None` for the reference."""
    agreement_windows: float
    """Share of windows with the label that the reference gives."""
    window_ms: Spread
    """The plan alone, window by window, inputs ready."""
    stages: Mapping[str, StageTimes | None]
    """Decoding and faces as whole clips were timed, the others as all contenders ran side by side."""
    cost: Cost


@dataclass(frozen=True, slots=True)
class Bench:
    """All that was measured."""

    bundle: Bundle
    settings: BenchSettings
    machine: Mapping[str, object]
    data: Mapping[str, object]
    rows: tuple[Row, ...]
    """The reference first."""
    noise: Noise


def bench(
    bundle: Bundle, contenders: Sequence[Contender], judges: Judges, settings: BenchSettings, progress: Progress
) -> Bench:
    """Measure every contender; the first is the reference.

    Raises `SettingError` for clips that the model has no answer to, `DataError` for a clip that cannot be read.
    """
    manifest = bundle.manifest
    check_windows(manifest.inputs, settings.windows)
    entries = chosen(bundle, judges.corpus, settings)
    with _swept(), IsolatedDecoder() as decoder:
        detector = Mtcnn.open(OrtSettings(settings.threads))
        watcher = Watcher(decoder, detector, manifest.inputs, settings.windows)
        setup = Setup(bundle, contenders, watcher, Materials.of(bundle))
        answers = answer_clips(setup, entries, lambda done: progress("answering clips", done, len(entries)))
        ends: Sequence[EndToEnd | None] = [None] * len(contenders)
        if settings.seconds:
            most = round(settings.seconds)
            ends = run_laps(setup, answers.clips, settings.seconds, lambda s: progress("timing clips", round(s), most))
    starts = _starts(setup, answers.clips[0], settings, progress)
    costs = [Cost(end, fresh) for end, fresh in zip(ends, starts, strict=True)]
    rows = tuple(_row(setup, answers, place, settings, cost) for place, cost in enumerate(costs))
    return Bench(bundle, settings, machine(settings), data_facts(answers, judges, settings), rows, _noise(answers))


@contextmanager
def _swept() -> Iterator[None]:
    """Keep the garbage collector off what is loaded now: to walk through torch takes 0.3 s of anybody's window."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def machine(settings: BenchSettings) -> Mapping[str, object]:
    """Return what the figures hold for."""
    cpu = processor()
    return {
        "cpu": cpu.model,
        "cores": cpu.cores,
        "usable_cores": cpu.usable_cores,
        "features": list(cpu.features),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": settings.threads,
        "spinning": OrtSettings().spinning,
        "load_1m": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _row(setup: Setup, answers: Answers, place: int, settings: BenchSettings, cost: Cost) -> Row:
    labels = setup.bundle.manifest.head.labels
    judged, reference = answers.judged(place, labels), answers.judged(0, labels)
    return Row(
        setup.contenders[place],
        judge(judged, labels, settings.bootstrap),
        compare(reference, judged, settings.bootstrap) if place else None,
        agreement(answers.labels(0), answers.labels(place)),
        Spread.of(np.stack(answers.times_ms)[:, place]),
        {**(cost.end_to_end.media if cost.end_to_end else {}), **answers.stage_times(place)},
        cost,
    )


def _starts(setup: Setup, clip: Entry, settings: BenchSettings, progress: Progress) -> list[Fresh]:
    found = []
    facts = {name: getattr(clip, name) for name in ("start_s", "end_s", "transcript", "extra")} | {
        "path": str(clip.path)
    }
    for done, contender in enumerate(setup.contenders, start=1):
        window = settings.windows
        argument, bundle = contender.start.argument, str(setup.bundle.path)
        order = Order(bundle, argument, settings.threads, window.length_s, window.hop_s, facts)
        found.append(start_afresh(contender, order, settings.starts))
        progress("fresh processes", done, len(setup.contenders))
    return found


def _noise(answers: Answers) -> Noise:
    times_ms = np.stack(answers.times_ms)
    return Noise.of(times_ms[:, 0], times_ms[:, -1])
