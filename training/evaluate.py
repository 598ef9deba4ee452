"""What a checkpoint gets right on a corpus, with intervals, per class, per speaker and per set of modalities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np

from mmer.edge.bench.judged import Evaluation, Judged, judge
from mmer.edge.bench.nulls import without_nan
from mmer.edge.bench.stamps import stamps
from mmer.edge.corpus import Corpus
from mmer.edge.errors import SettingError
from mmer.training.batch import MODALITIES
from mmer.training.checkpoint import Checkpoint
from mmer.training.collate import EVERYTHING, Presence
from mmer.training.predict import predict
from mmer.training.samples import Sample, load_samples

ALL = "all"
SUBSETS: Mapping[str, Presence] = {ALL: EVERYTHING} | {
    "+".join(name for name, kept in zip(MODALITIES, bits, strict=True) if kept): bits
    for bits in product((True, False), (True, False), (True, False))
    if any(bits) and not all(bits)
}
"""The seven sets of modalities by name; `all` takes whatever a clip has."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said about one checkpoint on one split of a corpus."""

    split: str
    corpus: str
    """Digest."""
    labels: tuple[str, ...]
    stamps: tuple[str, ...]
    """As `mmer.edge.bench.stamps` gives them."""
    clips: int
    subsets: Mapping[str, Evaluation | None]
    """By name; `None` where no clip has any of the modalities. A clip without them is not counted there."""


def evaluate(
    checkpoint: Checkpoint,
    samples: Sequence[Sample],
    split: str,
    digest: str = "",
    subsets: Sequence[str] = (ALL,),
) -> Report:
    """Measure a checkpoint on the samples of a split, once for each set of modalities named in `SUBSETS`.

    `digest` is that of the corpus, for the record. Raises `SettingError` for an unknown name or an empty split.
    """
    if unknown := [name for name in subsets if name not in SUBSETS]:
        raise SettingError(f"no modalities are called {unknown[0]!r}; there are: {', '.join(SUBSETS)}")
    chosen = [sample for sample in samples if sample.split == split]
    if not chosen:
        known = ", ".join(sorted({sample.split for sample in samples}))
        raise SettingError(f"no clip is in the split {split!r}; there are: {known}")
    labels = checkpoint.facts.labels
    answered = {name: answers(checkpoint, chosen, SUBSETS[name]) for name in subsets}
    found = {name: judge(judged, labels) if len(judged.truth) else None for name, judged in answered.items()}
    due = stamps(samples, split, checkpoint.facts.provenance, [digest])
    return Report(split, digest, labels, due, len(chosen), found)


def evaluate_corpus(
    checkpoint: Checkpoint,
    corpus: Corpus,
    split: str,
    subsets: Sequence[str] = (ALL,),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Measure a checkpoint on a split of a corpus; its clips alone are decoded, leaks are looked for everywhere."""
    facts = checkpoint.facts
    samples = load_samples(corpus.part(split), facts.labels, facts.inputs, progress)
    report = evaluate(checkpoint, samples, split, corpus.digest, subsets)
    return replace(report, stamps=stamps(corpus.entries, split, facts.provenance, [corpus.digest]))


def answers(checkpoint: Checkpoint, samples: Sequence[Sample], kept: Presence) -> Judged:
    """Answer the samples that have one of the modalities kept."""
    given = predict(checkpoint.model, checkpoint.reader(), samples, kept)
    answered = [samples[place] for place in given.places]
    return Judged(np.array([s.label for s in answered], np.intp), given.probabilities, [s.speaker for s in answered])


def report_json(report: Report) -> dict[str, object]:
    """Return the report as JSON values; a figure that cannot be had is null."""
    facts = without_nan(asdict(report))
    assert isinstance(facts, dict)
    return {"schema": "mmer.eval/1", **facts}


def report_lines(report: Report) -> list[str]:
    """Return the report as text for people."""
    title = f"{report.clips} clips of the split {report.split}, corpus {report.corpus[:12]}"
    return [" ".join((title, *report.stamps)), *(_line(name, found) for name, found in report.subsets.items())]


def _line(name: str, found: Evaluation | None) -> str:
    if found is None:
        return f"{name}: no clip has any of these"
    scores, uar = found.scores, found.intervals["uar"]
    return ", ".join(
        (
            f"{name}: UAR {uar.value:.3f} ({uar.level:.0%} {uar.low:.3f} to {uar.high:.3f})",
            f"accuracy {scores.accuracy:.3f}",
            f"macro F1 {scores.macro_f1:.3f}",
            f"averaged one-vs-rest accuracy {scores.ovr_accuracy:.3f}",
            f"AUC {scores.auc:.3f}",
            f"ECE {scores.ece:.3f}",
            f"{scores.clips} clips",
        )
    )
