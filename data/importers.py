"""Data sets as they lie on disk, made into an index; which clip is what stands in the files' names."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mmer.edge.corpus import Entry, is_text
from mmer.edge.errors import CorpusError
from mmer.edge.labels import canonical
from mmer.edge.sources import media_below

_JAVA_SED = re.compile(r"(?P<speaker>\d{2})-(?P<sentence>\d{2})-(?P<emotion>\d{2})_(?P<take>\d{2})")
_JAVA_SED_LABELS = {"01": "neutral", "02": "sad", "03": "happy", "04": "surprise", "05": "fear", "06": "anger"}
_JAVA_SED_SPLITS = {
    **dict.fromkeys(("01", "02", "06", "07"), "train"),
    "03": "val",
    "08": "val",
    "04": "test",
    "09": "test",
}
"""Two women and two men, one of each, one of each: no speaker in two splits."""


def java_sed(source: Path) -> Iterator[Entry]:
    """Yield Java-SED's clips, named `speaker-sentence-emotion_take`, split by speaker."""
    for path in media_below(source):
        if (match := _JAVA_SED.fullmatch(path.stem)) is None:
            continue
        speaker, emotion = match["speaker"], match["emotion"]
        if emotion not in _JAVA_SED_LABELS:
            raise CorpusError(path, f"emotion code {emotion} is none of Java-SED's ({', '.join(_JAVA_SED_LABELS)})")
        if speaker not in _JAVA_SED_SPLITS:
            raise CorpusError(path, f"speaker {speaker} is none of Java-SED's ({', '.join(sorted(_JAVA_SED_SPLITS))})")
        yield Entry(
            path,
            _JAVA_SED_LABELS[emotion],
            _JAVA_SED_SPLITS[speaker],
            f"java{speaker}",
            set="java_sed",
            extra={"sentence": match["sentence"], "take": match["take"]},
        )


def folder_per_class(source: Path) -> Iterator[Entry]:
    """Yield clips that lie in folders named by class, such as `happy/a.mp4` or `train/happy/mary/a.mp4`.

    The folder nearest to the file that names a class is its label; `train`, `val` and `test` above it are its split
    (`train` if there is none), and a folder below it is its speaker (unknown speakers are an empty column).
    """
    for path in media_below(source):
        folders = path.relative_to(source).parts[:-1]
        labelled = [place for place, name in enumerate(folders) if canonical(name) is not None]
        if not labelled:
            raise CorpusError(
                path, "lies in no folder that is named by an emotion (see mmer/edge/labels.py for the spellings)"
            )
        place = labelled[-1]
        split = next((s for name in folders[:place] if (s := _SPLITS.get(name.lower()))), "train")
        speaker = folders[place + 1] if len(folders) > place + 1 else ""
        yield Entry(path, canonical(folders[place]) or "", split, speaker, set=source.resolve().name)


_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
}

FORMATS: Mapping[str, Callable[[Path], Iterator[Entry]]] = {"folder": folder_per_class, "java-sed": java_sed}
"""Importers by the name that the command line gives them."""


def import_corpus(name: str, source: Path) -> tuple[Entry, ...]:
    """Return the entries of a data set on disk, in the order of their paths; raise `CorpusError` when there is none."""
    if not source.is_dir():
        raise CorpusError(source, "no such folder")
    entries = tuple(FORMATS[name](source))
    if not entries:
        raise CorpusError(source, f"no clip of the format {name} in it")
    if broken := next((e.path for e in entries if not is_text(str(e.path.relative_to(source)))), None):
        raise CorpusError(ascii(str(broken)), "has a name that is not Unicode text; rename it")
    return entries
