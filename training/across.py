"""Trainings on some sets, each judged on every other: what carries over to other people, rooms and microphones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mmer.edge.bench.folder import SUMMARY, write_matrix
from mmer.edge.bench.launch import Progress
from mmer.edge.bench.matrix import Cell, Matrix, SharedSpeakersError, Side
from mmer.edge.bench.stamps import stamped
from mmer.edge.bench.verdict import ALL
from mmer.edge.corpus import Corpus
from mmer.edge.errors import SettingError
from mmer.edge.files import claim
from mmer.edge.labels import LABELS
from mmer.training.evaluate import evaluate
from mmer.training.recording import Inputs
from mmer.training.samples import Sample, load_samples
from mmer.training.train import TrainSettings, train
from mmer.training.usual import Wish, usual

LEARNT = ("train", "val")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    wish: Wish
    train_on: tuple[Path, ...]
    test_on: tuple[Path, ...]
    where: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    leaky: bool = False
    """Whether a speaker may be in the training of one and the test of another."""
    output: Path | None = None
    """A folder for the figures and a picture."""
    exist_ok: bool = False


@dataclass(frozen=True, slots=True)
class Sets:
    """The corpora by name, one name for one corpus on either side, and the split that is tested on."""

    train_on: Mapping[str, Corpus]
    test_on: Mapping[str, Corpus]
    split: str = "test"
    leaky: bool = False
    """Whether a speaker may be in the training of one and the test of another; the figures say so."""

    @classmethod
    def read(cls, train_on: Sequence[Path], test_on: Sequence[Path], conditions: Sequence[tuple[str, str]]) -> "Sets":
        """Read each index once, and of its rows those that meet the conditions."""
        paths = list(dict.fromkeys((*train_on, *test_on)))
        corpora = {path: Corpus.read([path]).where(conditions) for path in paths}
        names = dict(zip(paths, named(paths), strict=True))
        return cls({names[p]: corpora[p] for p in train_on}, {names[p]: corpora[p] for p in test_on})

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that all of them have; raise `SettingError` when there are not two."""
        parts = [corpus.part(*LEARNT) for corpus in self.train_on.values()]
        parts += [corpus.part(self.split) for corpus in self.test_on.values()]
        common = set.intersection(*({entry.label for entry in part.entries} for part in parts))
        if len(common) < 2:
            found = ", ".join(sorted(common)) or "none"
            raise SettingError(f"the sets have {found} in common; two labels are needed, name other sets")
        return tuple(label for label in LABELS if label in common)

    def refuse_shared(self) -> None:
        """Raise `SharedSpeakersError` for a speaker who is learnt from and tested on, unless a set says `LEAKY`."""
        for learnt, corpus in self.train_on.items():
            for tested, other in self.test_on.items():
                both = _speakers(corpus, LEARNT) & _speakers(other, (self.split,))
                known = self.leaky or stamped((*corpus.entries, *other.entries))
                if both and not known:
                    raise SharedSpeakersError(learnt, tested, sorted(both))


def named(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each index: the file's, or the folder's before it where files are called alike."""
    stems = [path.stem for path in paths]
    longer = [path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.stem}" for path in paths]
    return [name if longer.count(name) == 1 else str(path) for name, path in zip(longer, paths, strict=True)]


def launch(order: Order, progress: Progress) -> Matrix:
    """Train and test as ordered, and write what was found; raises as `train_and_test`."""
    if order.output is not None:
        claim(order.output, marker=SUMMARY, exist_ok=order.exist_ok)
    sets = replace(Sets.read(order.train_on, order.test_on, order.where), split=order.split, leaky=order.leaky)
    matrix = train_and_test(sets, order.wish, progress)
    if order.output is not None:
        write_matrix(order.output, matrix)
    return matrix


def train_and_test(sets: Sets, wish: Wish, progress: Progress) -> Matrix:
    """Train on every set as wished and judge each model on the test of every set.

    Raises `SettingError` for sets that cannot be compared and `SharedSpeakersError`, before any clip is decoded.
    """
    sets.refuse_shared()
    labels = sets.labels
    settings = usual(wish, labels)
    samples = _samples(sets, settings.labels, settings.inputs, progress)
    cells: list[Cell] = []
    for done, name in enumerate(sets.train_on):
        progress("training", done, len(sets.train_on))
        cells += _row(sets, samples, settings, name)
    return Matrix(
        wish.model,
        wish.preset,
        wish.modality,
        settings.fit.seed,
        sets.split,
        labels,
        tuple(_side(name, corpus, LEARNT, labels) for name, corpus in sets.train_on.items()),
        tuple(_side(name, corpus, (sets.split,), labels) for name, corpus in sets.test_on.items()),
        tuple(cells),
    )


def _row(sets: Sets, samples: Mapping[str, Sequence[Sample]], settings: TrainSettings, name: str) -> list[Cell]:
    """Return the cells of one training."""
    learnt = [sample for sample in samples[name] if sample.split in LEARNT]
    checkpoint = train(learnt, settings, sets.train_on[name].digest).checkpoint
    cells = []
    for tested, corpus in sets.test_on.items():
        judges = [sample for sample in samples[tested] if sample.split == sets.split]
        report = evaluate(checkpoint, judges, sets.split, corpus.digest)
        found = report.subsets[ALL]
        if found is None:
            raise SettingError(f"no clip of {tested} has what the model looks at; name another set")
        cells.append(Cell(name, tested, report.stamps, found))
    return cells


def _samples(sets: Sets, labels: Sequence[str], inputs: Inputs, progress: Progress) -> dict[str, Sequence[Sample]]:
    """Return the samples of every corpus by its name, those of other labels left out."""
    corpora = {**sets.train_on, **sets.test_on}  # a digest says nothing of where files lie, so it cannot tell copies
    kept = {name: _of_labels(corpus, labels) for name, corpus in corpora.items()}
    total, found = sum(len(corpus.entries) for corpus in kept.values()), dict[str, Sequence[Sample]]()
    for name, corpus in kept.items():
        before = sum(map(len, found.values()))
        found[name] = load_samples(corpus, labels, inputs, partial(_tell, progress, total, before))
    return found


def _tell(progress: Progress, total: int, before: int, done: int) -> None:
    progress("reading clips", before + done, total)


def _of_labels(corpus: Corpus, labels: Sequence[str]) -> Corpus:
    return replace(corpus, entries=tuple(entry for entry in corpus.entries if entry.label in labels))


def _side(name: str, corpus: Corpus, splits: Sequence[str], labels: Sequence[str]) -> Side:
    part = corpus.part(*splits)
    left = Counter(entry.label for entry in part.entries if entry.label not in labels)
    clips = len(part.entries) - left.total()
    return Side(name, corpus.digest, clips, len(_speakers(corpus, splits)), dict(sorted(left.items())))


def _speakers(corpus: Corpus, splits: Sequence[str]) -> set[str]:
    return {entry.speaker for entry in corpus.entries if entry.split in splits and entry.speaker}
