"""The clips of a training: those that all stages share, and those that a stage has for itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmer.edge.corpus import Corpus
from mmer.training.recording import Inputs
from mmer.training.samples import Sample, load_samples
from mmer.training.stages import Stage


@dataclass(frozen=True, slots=True)
class Material:
    """Corpora by the index that stages name, the shared one under an empty name."""

    corpora: Mapping[str, Corpus]

    @classmethod
    def of(cls, corpus: Corpus, stages: Sequence[Stage]) -> "Material":
        """Read what stages have for themselves; raise `SettingError` where clips to train on or to choose by lack."""
        own = {stage.data: Corpus.read([Path(stage.data)]) for stage in stages if stage.data}
        corpora = {"": corpus, **own}
        for part in corpora.values():
            part.part("train", "val")
        return cls(corpora)

    @property
    def everything(self) -> Corpus:
        """All entries, shared ones first."""
        return Corpus(tuple(entry for corpus in self.corpora.values() for entry in corpus.entries))

    @property
    def digests(self) -> tuple[str, ...]:
        """Those of the corpora, one by one."""
        return tuple(corpus.digest for corpus in self.corpora.values())

    def samples(self, labels: Sequence[str], inputs: Inputs, progress: Callable[[int], None]) -> tuple[Sample, ...]:
        """Load every clip, as `load_samples` does."""
        found: list[Sample] = []
        for index, corpus in self.corpora.items():
            loaded = load_samples(corpus, labels, inputs, _after(len(found), progress))
            found += [replace(sample, index=index) for sample in loaded]
        return tuple(found)


def _after(before: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: progress(before + done)
