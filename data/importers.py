"""Data sets as they lie on disk, made into an index."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmer.data.sets.crema_d import crema_d
from mmer.data.sets.fer2013 import fer2013
from mmer.data.sets.folder import folder_per_class
from mmer.data.sets.goemotions import goemotions
from mmer.data.sets.java_sed import java_sed
from mmer.data.sets.meld import meld
from mmer.data.sets.ravdess import ravdess
from mmer.data.sets.source import Source
from mmer.edge.corpus import Entry, is_text
from mmer.edge.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Format:
    """How one data set is read."""

    read: Callable[[Source], Iterator[Entry]]
    from_file: bool = False
    """Whether a file by itself can be the set."""


FORMATS: Mapping[str, Format] = {
    "crema-d": Format(crema_d),
    "fer2013": Format(fer2013, from_file=True),
    "folder": Format(folder_per_class),
    "goemotions": Format(goemotions),
    "java-sed": Format(java_sed),
    "meld": Format(meld),
    "ravdess": Format(ravdess),
}
"""Importers by the name that the command line gives them."""


def import_corpus(name: str, source: Path, unpacked: Path | None = None) -> tuple[Entry, ...]:
    """Return the entries of a data set on disk, in the order of their paths; raise `CorpusError` when there is none.

    `unpacked` is the folder for pictures that lie in a table or an archive, by default one beside `source`.
    """
    if not (source.is_dir() or (FORMATS[name].from_file and source.is_file())):
        raise CorpusError(source, "no such folder")
    entries = tuple(FORMATS[name].read(Source(source, unpacked or source.parent / f"{source.stem}_pictures")))
    if not entries:
        raise CorpusError(source, f"no clip of the format {name} in it")
    if broken := next((e.path for e in entries if not is_text(e.path.name) or not is_text(_inside(e, source))), None):
        raise CorpusError(ascii(str(broken)), "has a name that is not Unicode text; rename it")
    return entries


def _inside(entry: Entry, source: Path) -> str:
    """Return the entry's place in the source, where it lies there."""
    return str(entry.path.relative_to(source)) if entry.path.is_relative_to(source) else ""
