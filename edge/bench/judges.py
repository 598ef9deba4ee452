"""The clips that a model is judged by, and what has to be said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmer.edge.bench.answers import Answers
from mmer.edge.bench.intervals import FEW
from mmer.edge.bench.settings import BenchSettings
from mmer.edge.bench.stamps import names_speakers, stamps
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import SettingError


@dataclass(frozen=True, slots=True)
class Judges:
    """The clips to judge by, and what is known of those that the model was trained on."""

    corpus: Corpus
    """All splits, as far as they were selected."""
    whole: Corpus
    """Before the selection."""
    provenance: Mapping[str, object]
    """Of the bundle or, better, of the checkpoint, which names the speakers of its training."""

    def stamps(self, split: str) -> tuple[str, ...]:
        """Return the stamps of figures on a split; to select it alone does not hide that a speaker leaks."""
        judged = {entry.speaker for entry in self.corpus.entries if entry.split == split}
        theirs = tuple(entry for entry in self.whole.entries if entry.speaker in judged)
        digests = [self.corpus.digest, self.whole.digest]
        return stamps(self.corpus.entries + theirs, split, self.provenance, digests)


def chosen(bundle: Bundle, corpus: Corpus, settings: BenchSettings) -> Sequence[Entry]:
    """Return the clips to judge by, in the order of the index; raise `SettingError` for those that cannot serve."""
    head = bundle.manifest.head
    if head.task != "multiclass":
        raise SettingError(f"a {head.task} model cannot be measured yet: accuracy and UAR are of one label a clip")
    entries = corpus.part(settings.split).entries
    if strange := sorted({entry.label for entry in entries} - set(head.labels)):
        raise SettingError(
            f"the bundle has no label {', '.join(strange)}: choose clips of {', '.join(head.labels)}, "
            f"as by --where label={head.labels[0]}"
        )
    if settings.clips is None or settings.clips >= len(entries):
        return entries
    drawn = np.random.default_rng(settings.seed).choice(len(entries), settings.clips, replace=False)
    return [entries[place] for place in sorted(drawn)]


def data_facts(answers: Answers, judges: Judges, settings: BenchSettings) -> Mapping[str, object]:
    """Return what the figures were measured on, and how."""
    windows = settings.windows
    return {
        "digest": judges.corpus.digest,
        "split": settings.split,
        "clips": len(answers.clips),
        "unanswered": [str(entry.path) for entry in answers.unanswered],
        "speakers": len({entry.speaker for entry in answers.clips if entry.speaker}),
        "windows": len(answers.windows),
        "media_s": round(answers.media_s, 3),
        "damaged_packets": sum(damage.packets for damage in answers.course.damage),
        "protocol": {
            "length_s": windows.length_s,
            "hop_s": windows.hop_s,
            "clip_answer": "mean of the probabilities over a clip's windows and people",
            "interval": f"95 %, clips drawn again within speakers (those with fewer than {FEW} clips as one)",
            "seed": settings.seed,
        },
        "stamps": list(judges.stamps(settings.split)),
        "training_speakers": "named" if names_speakers(judges.provenance) else "unknown",
    }
