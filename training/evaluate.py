"""What a checkpoint gets right on a corpus, with intervals, per class, per speaker and per set of modalities."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bench import metrics
from mmer.edge.bench.intervals import Bootstrap, Interval, interval
from mmer.edge.bench.metrics import PerClass, Scores
from mmer.edge.corpus import Corpus
from mmer.edge.errors import SettingError
from mmer.training.batch import MODALITIES
from mmer.training.checkpoint import Checkpoint
from mmer.training.collate import EVERYTHING, Presence
from mmer.training.predict import predict
from mmer.training.samples import Sample, leaking, load_samples, part

ALL = "all"
SUBSETS: Mapping[str, Presence] = {ALL: EVERYTHING} | {
    "+".join(name for name, kept in zip(MODALITIES, bits, strict=True) if kept): bits
    for bits in product((True, False), (True, False), (True, False))
    if any(bits) and not all(bits)
}
"""The seven sets of modalities by name; `all` takes whatever a clip has."""

LEAKY, CHOSEN = "LEAKY", "CHOSEN ON THIS SPLIT"
USUAL = Bootstrap()

Metric: TypeAlias = Callable[[NDArray[np.int64]], float]
"""From a confusion matrix to a figure."""

METRICS: Mapping[str, Metric] = {
    "accuracy": metrics.accuracy,
    "uar": metrics.uar,
    "macro_f1": metrics.macro_f1,
    "ovr_accuracy": metrics.ovr_accuracy,
}
"""Those that get an interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Answers beside the truth."""

    truth: NDArray[np.intp]
    """`[N]` class indices."""
    probabilities: NDArray[np.float64]
    """`[N, K]`."""
    speakers: Sequence[str]

    def counts(self, picked: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.int64]:
        """Return the confusion matrix of some clips, or of all."""
        predicted = self.probabilities[picked].argmax(axis=1)
        return metrics.confusion(self.truth[picked], predicted, self.probabilities.shape[1])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures for one set of modalities."""

    scores: Scores
    intervals: Mapping[str, Interval]
    """By metric: clips drawn again within speakers."""
    per_class: Mapping[str, Mapping[str, float]]
    per_speaker: Mapping[str, Mapping[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    """Rows the true class."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said about one checkpoint on one split of a corpus."""

    split: str
    corpus: str
    """Digest."""
    labels: tuple[str, ...]
    stamps: tuple[str, ...]
    """`LEAKY`: a speaker stands in two splits, or is one of those that the model was trained on.

    `CHOSEN ON THIS SPLIT`: the epoch was chosen by these clips or speakers, so that the figures flatter.
    """
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
    provenance, speakers = checkpoint.facts.provenance, {sample.speaker for sample in chosen}
    leaky = _speakers(provenance, "train") & speakers or leaking(samples)
    flattered = _speakers(provenance, "val") & speakers or (split == "val" and provenance.get("corpus") == digest)
    stamps = tuple(stamp for stamp, due in ((LEAKY, leaky), (CHOSEN, flattered)) if due)
    return Report(split, digest, labels, stamps, len(chosen), found)


def evaluate_corpus(
    checkpoint: Checkpoint,
    corpus: Corpus,
    split: str,
    subsets: Sequence[str] = (ALL,),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Measure a checkpoint on a split of a corpus; its clips alone are decoded, leaks are looked for everywhere."""
    facts = checkpoint.facts
    samples = load_samples(part(corpus, split), facts.labels, facts.inputs, progress)
    report = evaluate(checkpoint, samples, split, corpus.digest, subsets)
    if LEAKY in report.stamps or not leaking(corpus.entries):
        return report
    return replace(report, stamps=(LEAKY, *report.stamps))


def answers(checkpoint: Checkpoint, samples: Sequence[Sample], kept: Presence) -> Judged:
    """Answer the samples that have one of the modalities kept."""
    given = predict(checkpoint.model, checkpoint.reader(), samples, kept)
    answered = [samples[place] for place in given.places]
    return Judged(np.array([s.label for s in answered], np.intp), given.probabilities, [s.speaker for s in answered])


def judge(judged: Judged, labels: Sequence[str], bootstrap: Bootstrap = USUAL) -> Evaluation:
    """Compare answers with the truth."""
    counts = judged.counts()
    classes = PerClass.of(counts)
    speakers = np.asarray(judged.speakers)
    return Evaluation(
        Scores.of(judged.truth, judged.probabilities),
        {
            name: interval(partial(_figure, metric, judged), judged.speakers, bootstrap)
            for name, metric in METRICS.items()
        },
        {
            label: {
                "precision": float(classes.precision[k]),
                "recall": float(classes.recall[k]),
                "f1": float(classes.f1[k]),
                "clips": int(classes.support[k]),
            }
            for k, label in enumerate(labels)
        },
        {name: _speaker(judged.counts(np.flatnonzero(speakers == name))) for name in sorted(set(judged.speakers))},
        tuple(tuple(int(count) for count in row) for row in counts),
    )


def report_json(report: Report) -> dict[str, object]:
    """Return the report as JSON values; a figure that cannot be had is null."""
    facts = _plain(asdict(report))
    assert isinstance(facts, dict)
    return {"schema": "mmer.eval/1", **facts}


def report_lines(report: Report) -> list[str]:
    """Return the report as text for people."""
    title = f"{report.clips} clips of the split {report.split}, corpus {report.corpus[:12]}"
    return [" ".join((title, *report.stamps)), *(_line(name, found) for name, found in report.subsets.items())]


def _figure(metric: Metric, judged: Judged, picked: NDArray[np.intp]) -> float:
    return metric(judged.counts(picked))


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


def _speaker(counts: NDArray[np.int64]) -> dict[str, float]:
    return {"clips": int(counts.sum()), "accuracy": metrics.accuracy(counts), "uar": metrics.uar(counts)}


def _speakers(provenance: Mapping[str, object], split: str) -> set[str]:
    speakers = provenance.get("speakers")
    names = speakers.get(split) if isinstance(speakers, dict) else None
    return {str(name) for name in names if name} if isinstance(names, list) else set()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
