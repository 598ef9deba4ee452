"""Each set of the pack: who is trained on, who is judged, and the answers of a linear baseline."""

import csv
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from java_sed import PAIRS, ROTATED, collected
from linear.classifier import discriminant, late, narrow_discriminant, words
from linear.pictures import clip_features, face_features, tar_pictures
from linear.sound import sound_features
from numpy.typing import NDArray
from paired_text import meld, paired
from sklearn.pipeline import Pipeline

from mmer.edge.bench.judged import Judged
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.labels import canonical

Table = NDArray[np.floating]
"""Features, `[N, D]`."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A baseline's answers to the clips that it was not trained on."""

    labels: tuple[str, ...]
    clips: tuple[str, ...]
    """A name for each, in the order of the answers; the same in every run."""
    judged: Judged
    protocol: str
    trained_on: int
    """Clips; of the largest fold where there are several."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Texts or pictures with one label each."""

    names: Sequence[str]
    content: Sequence[str] | Table
    labels: Sequence[str]
    speakers: Sequence[str]


Maker = Callable[[int], Pipeline]
"""From the number of classes to a classifier."""


def java_audio(pack: Path) -> Answered:
    """Answer the audio-visual clips by sound, trained on all takes of the others, and on RAVDESS."""
    heard = [entry for corpus in collected(pack)[0] for entry in corpus.entries]
    also = "the takes without video and RAVDESS (calm as neutral, no disgust) too"
    return _rotated(heard, _sounds(pack), discriminant, f"{ROTATED}, {also}; features chosen on these clips")


def java_video(pack: Path) -> Answered:
    """Answer the audio-visual clips by faces."""
    seen = _of(pack, "java_sed_av")
    table = dict(zip(_paths(seen), _faces(pack), strict=True))
    return _rotated(seen, table, narrow_discriminant, f"{ROTATED}; number of components chosen on these clips")


def java_fused(pack: Path) -> Answered:
    """Answer the audio-visual clips by both."""
    heard, seen = java_audio(pack), java_video(pack)
    assert heard.clips == seen.clips
    both = late([heard.judged.probabilities, seen.judged.probabilities])
    judged = Judged(heard.judged.truth, both, heard.judged.speakers)
    protocol = "geometric mean of java_sed_audio and java_sed_video, equal weights"
    return Answered(heard.labels, heard.clips, judged, protocol, heard.trained_on)


def java_paired(pack: Path) -> Answered:
    """Answer the audio-visual clips by sound, faces and a line of MELD's dev split that has the same label."""
    heard, seen, lines = java_audio(pack), java_video(pack), meld(pack, "train")
    train = [(text, label) for label in heard.labels for text in lines[label]]
    model = words().fit([text for text, _ in train], _places([label for _, label in train], heard.labels))
    said = paired([heard.labels[truth] for truth in heard.judged.truth], meld(pack, "dev"))
    parts = (heard.judged.probabilities, seen.judged.probabilities, model.predict_proba(said))
    judged = Judged(heard.judged.truth, late(parts), heard.judged.speakers)
    protocol = "paired text: geometric mean of java_sed_audio, java_sed_video and a line of MELD with the same label"
    return Answered(heard.labels, heard.clips, judged, protocol, heard.trained_on)


def ravdess_audio(pack: Path) -> Answered:
    """Answer the four test actors by sound, trained on the fourteen of the train split, all eight classes."""
    entries, table = _of(pack, "ravdess_speech"), _sounds(pack)
    parts = [
        Lines([e.path.name for e in of], _table(of, table), [e.label for e in of], [e.speaker for e in of])
        for of in ([e for e in entries if e.split == split] for split in ("train", "test"))
    ]
    return _official(parts[0], parts[1], "actors 1-14 train, unseen actors 17-20 test")


def fer2013_faces(pack: Path) -> Answered:
    """Answer the pictures of the validation tar, trained on the train tar."""
    parts = []
    for split in ("train", "val"):
        pictures, names, labels = tar_pictures(pack / f"fer2013_{split}.tar")
        parts.append(Lines(names, face_features(pictures), [_known(label) for label in labels], [""] * len(names)))
    return _official(parts[0], parts[1], "official Training for training, PublicTest judged; no tuning")


def goemotions_text(pack: Path) -> Answered:
    """Answer the comments of the dev split that have one label; of several labels none is the right one."""
    train, dev = (goemotions_lines(pack, split) for split in ("train", "dev"))
    return _official(train, dev, "comments with one label: train for training, dev judged; no tuning")


def goemotions_lines(pack: Path, split: str) -> Lines:
    """Return the comments of a split that have one label."""
    classes = (pack / "text" / "goemotions_ekman_labels.txt").read_text().split()
    lines = (pack / "text" / f"goemotions_ekman_{split}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in (line.split("\t") for line in lines) if row[1].isdecimal()]
    labels = [_known(classes[int(row[1])]) for row in rows]
    return Lines([row[2] for row in rows], [row[0] for row in rows], labels, [""] * len(rows))


def meld_text(pack: Path) -> Answered:
    """Answer the lines of the dev split, each by itself."""
    train, dev = (meld_lines(pack, split) for split in ("train", "dev"))
    return _official(train, dev, "train for training, dev judged, speakers recur; no context, no tuning")


def meld_lines(pack: Path, split: str) -> Lines:
    """Return the lines of a split."""
    with (pack / "text" / f"meld_{split}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}" for row in rows]
    labels = [_known(row["Emotion"]) for row in rows]
    return Lines(names, [row["Utterance"] for row in rows], labels, [row["Speaker"] for row in rows])


SETS: Mapping[str, Callable[[Path], Answered]] = {
    "java_sed_audio": java_audio,
    "java_sed_video": java_video,
    "java_sed_fused": java_fused,
    "java_sed_paired": java_paired,
    "ravdess_audio": ravdess_audio,
    "fer2013_faces": fer2013_faces,
    "goemotions_text": goemotions_text,
    "meld_text": meld_text,
}


def _official(train: Lines, test: Lines, protocol: str) -> Answered:
    """Fit on one part and answer the other; each label of the training is a class."""
    labels = tuple(sorted(set(train.labels)))
    model = discriminant(len(labels)) if isinstance(train.content, np.ndarray) else words()
    model.fit(train.content, _places(train.labels, labels))
    judged = Judged(_places(test.labels, labels), model.predict_proba(test.content), list(test.speakers))
    return Answered(labels, tuple(test.names), judged, protocol, len(train.names))


def _rotated(entries: Sequence[Entry], table: Mapping[str, Table], maker: Maker, protocol: str) -> Answered:
    """Answer the clips with video of each pair of speakers by a model of all entries of the others."""
    seen = [entry for entry in entries if entry.set == "java_sed_av"]
    labels, clips, folds, sizes = tuple(sorted({e.label for e in seen})), list[Entry](), [], []
    for pair in PAIRS:
        train, test = [e for e in entries if e.speaker not in pair], [e for e in seen if e.speaker in pair]
        model = maker(len(labels)).fit(_table(train, table), _places([e.label for e in train], labels))
        folds.append(model.predict_proba(_table(test, table)))
        clips.extend(test)
        sizes.append(len(train))
    judged = Judged(_places([e.label for e in clips], labels), np.concatenate(folds), [e.speaker for e in clips])
    return Answered(labels, tuple(e.path.name for e in clips), judged, protocol, max(sizes))


def _table(entries: Sequence[Entry], table: Mapping[str, Table]) -> Table:
    return np.stack([table[path] for path in _paths(entries)])


def _of(pack: Path, name: str) -> list[Entry]:
    return list(Corpus.read([pack / "clips.csv"]).where([("set", name)]).entries)


@cache
def _sounds(pack: Path) -> Mapping[str, Table]:
    """Return the features of every recording's sound by its path."""
    paths = [str(entry.path) for entry in Corpus.read([pack / "clips.csv"]).entries]
    with ProcessPoolExecutor() as pool:
        return dict(zip(paths, pool.map(sound_features, map(Path, paths), chunksize=16), strict=True))


@cache
def _faces(pack: Path) -> list[Table]:
    return list(clip_features(_of(pack, "java_sed_av")))


def _paths(entries: Sequence[Entry]) -> list[str]:
    return [str(entry.path) for entry in entries]


def _places(found: Sequence[str], labels: Sequence[str]) -> NDArray[np.intp]:
    return np.array([labels.index(label) for label in found], np.intp)


def _known(spelling: str) -> str:
    label = canonical(spelling)
    assert label is not None, spelling
    return label
