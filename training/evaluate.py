"""What a checkpoint gets right on a corpus, with intervals, per class, per speaker and per set of modalities."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mmer.edge.bench.judged import Judged, judge
from mmer.edge.bench.judges import Judges
from mmer.edge.bench.launch import Subject
from mmer.edge.bench.stamps import stamps
from mmer.edge.bench.verdict import ALL, SUBSETS, Report, refuse_unknown
from mmer.edge.errors import SettingError
from mmer.training.checkpoint import Checkpoint
from mmer.training.collate import Presence
from mmer.training.predict import predict
from mmer.training.samples import Sample, load_samples


def opened(path: Path) -> Subject:
    """Open a checkpoint to be measured."""
    checkpoint = Checkpoint.open(path)
    return Subject(checkpoint.facts.provenance, partial(evaluate_corpus, checkpoint))


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
    refuse_unknown(subsets)
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
    judges: Judges,
    split: str,
    subsets: Sequence[str] = (ALL,),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Measure a checkpoint on a split of a corpus; its clips alone are decoded, leaks are looked for everywhere."""
    facts = checkpoint.facts
    samples = load_samples(judges.corpus.part(split), facts.labels, facts.inputs, progress)
    report = evaluate(checkpoint, samples, split, judges.corpus.digest, subsets)
    return replace(report, stamps=judges.stamps(split))


def answers(checkpoint: Checkpoint, samples: Sequence[Sample], kept: Presence) -> Judged:
    """Answer the samples that have one of the modalities kept."""
    given = predict(checkpoint.model, checkpoint.reader(), samples, kept)
    answered = [samples[place] for place in given.places]
    return Judged(np.array([s.label for s in answered], np.intp), given.probabilities, [s.speaker for s in answered])
