"""What a new split holds, for people and machines."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from mmer.edge.corpus import Corpus


def split_json(written: Mapping[Path, Corpus]) -> dict[str, object]:
    """Return the indexes with their counts as JSON values."""
    indexes = [
        {
            "index": str(path),
            "digest": corpus.digest,
            "clips": _clips(corpus),
            "speakers": _speakers(corpus),
            "stamps": sorted({entry.stamp for entry in corpus.entries if entry.stamp}),
        }
        for path, corpus in written.items()
    ]
    return {"schema": "mmer.data.split/1", "indexes": indexes}


def split_lines(written: Mapping[Path, Corpus]) -> list[str]:
    """Return the indexes with their counts as text."""
    return [_line(path, corpus) for path, corpus in written.items()]


def _line(path: Path, corpus: Corpus) -> str:
    speakers, stamps = _speakers(corpus), sorted({e.stamp for e in corpus.entries if e.stamp})
    parts = [f"{split} {count} clips of {speakers[split]} speakers" for split, count in _clips(corpus).items()]
    return " ".join([f"{path}: {', '.join(parts)}", *stamps])


def _clips(corpus: Corpus) -> Mapping[str, int]:
    return dict(sorted(Counter(entry.split for entry in corpus.entries).items()))


def _speakers(corpus: Corpus) -> Mapping[str, int]:
    pairs = {(entry.split, entry.speaker) for entry in corpus.entries if entry.speaker}
    return {split: sum(found == split for found, _ in pairs) for split in _clips(corpus)}
