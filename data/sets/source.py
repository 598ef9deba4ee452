"""Where a data set lies, and where pictures go that lie in it packed."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.edge.corpus import Entry
from mmer.edge.errors import CorpusError

SPLITS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "publictest": "val",
    "test": "test",
    "privatetest": "test",
}
"""What the data sets call their splits, lower case."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set on disk."""

    path: Path
    """A folder, or for some sets one file."""
    unpacked: Path
    """A folder for pictures out of a table or an archive; it is made when there are any."""

    def files(self, *patterns: str) -> list[Path]:
        """Return the file itself, or the files below the folder whose names fit a pattern, in order."""
        if self.path.is_file():
            return [self.path] if any(self.path.match(pattern) for pattern in patterns) else []
        found = {path for pattern in patterns for path in self.path.rglob(pattern)}
        return sorted(p for p in found if p.is_file() and not p.name.startswith("."))


def split_of(name: str) -> str | None:
    """Return the split that a name like `meld_dev` or `train_splits` speaks of, `None` when it names none."""
    words = name.lower().replace("-", "_").replace(".", "_").split("_")
    return next((SPLITS[word] for word in words if word in SPLITS), None)


def table(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield line number and columns of a CSV table; raise `CorpusError` when a needed column is missing."""
    csv.field_size_limit(1 << 20)
    reader = csv.DictReader(io.StringIO(text_of(path), newline=""))
    if missing := [name for name in needed if name not in (reader.fieldnames or ())]:
        raise CorpusError(path, f"has no column {', '.join(missing)}; is it the table that the authors gave out?")
    for row in reader:
        if None in row or None in row.values():
            raise CorpusError(
                path, f"line {reader.line_num} has not as many fields as the header; fetch the file again"
            )
        yield reader.line_num, row


def text_of(path: Path) -> str:
    """Return the words of a file in UTF-8, or in Windows' Western code page, which some sets were saved in."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def code(codes: Mapping[str, str], value: str, path: Path, what: str) -> str:
    """Return what a code in a file's name stands for; raise `CorpusError` when the set has no such code."""
    if value not in codes:
        raise CorpusError(path, f"{what} {value} is none of the set's ({', '.join(codes)}); rename or remove the file")
    return codes[value]


def text_entry(words: str, label: str, split: str, name: str) -> Entry:
    """Return an entry that is words alone; nobody's voice or face is in it, so it has no speaker."""
    return Entry(Path(), label, split, "", set=name, transcript=words)
