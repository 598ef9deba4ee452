"""Data from which a calibration would learn little: told where there is still something in it, else refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmer.calibration.samples.finite import require_finite
from mmer.calibration.samples.recording import Recorded
from mmer.calibration.samples.samples import Samples
from mmer.calibration.samples.survey import Survey, survey
from mmer.edge.bundle.manifest import Manifest
from mmer.edge.bundle.plan import Plan
from mmer.edge.corpus import Entry
from mmer.edge.errors import DataError
from mmer.edge.pipeline.executor import Values
from mmer.edge.tensors import Tensors

FEW = 8
"""With fewer samples the extremes of ranges are a matter of luck."""
_MOST = 0.5

_FLAT: Mapping[str | None, tuple[str, str]] = {
    "audio": ("silent", "is silent"),
    "video": ("blank", "shows pictures of one colour"),
    None: ("constant", "never changes"),
}
"""What an input of a modality is called that never changes."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that takes worth out of a calibration."""

    kind: str
    says: str


class UselessDataError(DataError):
    """There is nothing in an input from which a range could be taken."""

    def __init__(self, name: str, count: int, state: str) -> None:
        super().__init__(f"{name} {state} in all of {count} sample(s), so that no range can be taken; use others")


def suspicions(manifest: Manifest, entries: Sequence[Entry], recorded: Recorded) -> Iterator[Suspicion]:
    """Yield what is suspicious about recorded windows, and about the clips that they could be taken from.

    Raises `NotFiniteError` for NaN or infinity in what a graph was given, `UselessDataError` for nothing but silence
    or pictures of one colour.
    """
    yield from of_entries(entries)
    plan = manifest.plan
    modalities = {
        source.name: source.modality for source in plan.sources if source.modality and source.modality in _FLAT
    }
    sounds = [name for name, modality in modalities.items() if modality == "audio"]
    found = survey(_windows(recorded.calibration, plan), sounds)
    yield from of_survey(found, {name: modality for name, modality in modalities.items() if name in found.held})
    judging = survey(_windows(recorded.fresh, plan), sounds)
    yield from _shared(found, judging)
    for name in manifest.graphs:
        yield from _of_graph(name, recorded)


def of_entries(entries: Sequence[Entry]) -> Iterator[Suspicion]:
    """Yield what is suspicious about clips: one label, or one speaker, in all of them."""
    labels, speakers = {entry.label for entry in entries}, {entry.speaker for entry in entries}
    if len(labels) == 1:
        yield Suspicion("one-label", f"all clips are labelled {next(iter(labels))}; other emotions move other values")
    if len(speakers) == 1 and "" not in speakers:
        yield Suspicion("one-speaker", "all clips are of one speaker; the ranges of other faces and voices are unknown")


def of_survey(found: Survey, modalities: Mapping[str, str | None] | None = None) -> Iterator[Suspicion]:
    """Yield what is suspicious about samples; of inputs with a modality, or of all where none are known.

    Raises `UselessDataError` when such an input never changes in any sample.
    """
    count = len(found.digests)
    watched = dict.fromkeys(found.held) if modalities is None else modalities
    for name, modality in watched.items():
        kind, state = _FLAT[modality]
        if found.flat[name] == found.held[name] and (modality or found.flat == found.held):
            raise UselessDataError(name, found.held[name], state)
        if found.flat[name] >= _MOST * found.held[name]:
            yield Suspicion(kind, f"{name} {state} in {found.flat[name]} of {found.held[name]} samples")
    if count < FEW:
        yield Suspicion(
            "few-samples", f"ranges are taken from {count} sample(s), and fewer than {FEW} leave them to luck"
        )
    if found.copies >= _MOST * count:
        yield Suspicion("copies", f"{found.copies} of {count} samples are copies of others")


def _shared(found: Survey, judging: Survey) -> Iterator[Suspicion]:
    """Yield that forms are judged by what they were made from."""
    known = set(found.digests)
    if both := sum(digest in known for digest in judging.digests):
        yield Suspicion(
            "judged-by-the-same",
            f"{both} of {len(judging.digests)} judging windows equal ones that ranges are taken from; cosines flatter",
        )


def _of_graph(name: str, recorded: Recorded) -> Iterator[Suspicion]:
    """Yield that a graph was given nothing; raise `NotFiniteError` for what cannot be."""
    parts = {"calibration": recorded.calibration, "judging": recorded.fresh}
    idle = [part for part, samples in parts.items() if not _finite_inputs(samples, name, part)]
    if idle:
        yield Suspicion("unseen-graph", f"no {' or '.join(idle)} window gave the graph {name} anything to read")


def _finite_inputs(samples: Samples, graph: str, part: str) -> int:
    """Return how many inputs a graph was given; raise `NotFiniteError` for the first that is not finite."""
    count = 0
    for count, tensors in enumerate(samples.inputs(graph), start=1):
        require_finite(tensors, f"graph {graph}, {part} input {count}")
    return count


def _windows(samples: Samples, plan: Plan) -> Iterator[tuple[str, Tensors]]:
    """Yield name and arrays of every window."""
    return ((name, _arrays(values)) for name, values in zip(samples.ids, samples.windows(plan), strict=True))


def _arrays(values: Values) -> Tensors:
    return {name: np.stack([item.make() for item in items]) for name, items in values.items()}
