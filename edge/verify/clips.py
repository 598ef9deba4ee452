"""The recordings to compare on: named as for `mmer run`, or by an index."""

from collections.abc import Sequence
from pathlib import Path

from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import SettingError
from mmer.edge.sources import sources

_INDEXES = (".csv", ".jsonl")


def clips(names: Sequence[str], where: Sequence[tuple[str, str]] = ()) -> tuple[Entry, ...]:
    """Return what the names stand for; what an index holds is selected by `where`.

    Raises `SettingError` for a name that cannot be used and `CorpusError` for such an index.
    """
    indexes = [Path(name) for name in names if name.lower().endswith(_INDEXES)]
    others = [name for name in names if not name.lower().endswith(_INDEXES)]
    if where and not indexes:
        raise SettingError("--where selects rows of an index, and none is named; leave it out or name a .csv")
    listed = Corpus.read(indexes).where(where).entries if indexes else ()
    media = sources(others) if others or not indexes else []
    return (*(Entry(path, label="", split="", speaker="") for path in media), *listed)


def recording(entry: Entry) -> str:
    """Return what windows have in common that depend on each other: the file, or words that come without one."""
    return str(entry.path) if entry.has_media else entry.transcript
