"""Labelled clips from index files: the one reader for training, calibration and bench.

An index is CSV or JSON lines with the columns `path,label,split,speaker` and, where known,
`set,start_s,end_s,transcript,conversation,turn,role` and any further ones. Paths are relative to the index.

A row with words and no path is text alone. A picture (.jpg, .png) is a clip of one frame; `face` in the column
`framing` says that the face fills its pictures, so that nobody has to find it. `LEAKY` in the column `stamp` says that
the splits share speakers with the knowledge of whoever made them.
"""

import csv
import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from mmer.edge.errors import CorpusError, SettingError
from mmer.edge.files import atomic_text
from mmer.edge.labels import canonical

REQUIRED = ("path", "label", "split", "speaker")
NO_MEDIA = Path()
"""The path of an entry that is words alone."""
FRAMING, STAMP = "framing", "stamp"


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled clip, a stretch of one, a picture, or words alone."""

    path: Path
    label: str
    split: str
    speaker: str
    set: str = ""
    start_s: float | None = None
    end_s: float | None = None
    transcript: str = ""
    conversation: str = ""
    turn: str = ""
    role: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the index."""

    @property
    def has_media(self) -> bool:
        """Whether there is anything to see or to hear."""
        return self.path != NO_MEDIA

    @property
    def fills_frame(self) -> bool:
        """Whether every picture of it is a face and nothing else."""
        return self.extra.get(FRAMING) == "face"

    @property
    def stamp(self) -> str:
        """What takes the value out of figures on it, empty when nothing is known of the kind."""
        return self.extra.get(STAMP, "")

    def column(self, name: str) -> str | None:
        """Return the value of a column as text, or `None` when the entry has no such column."""
        if name not in _COLUMNS:
            return self.extra.get(name)
        value = getattr(self, name)
        return "" if value is None else str(value)


_COLUMNS = tuple(f.name for f in fields(Entry) if f.name != "extra")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Entries in the order of their index files."""

    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Corpus":
        """Read one or more index files; raise `CorpusError` at the first row that cannot be used."""
        entries = tuple(_entry(path, number, row) for path in paths for number, row in _rows(path))
        if not entries:
            raise CorpusError(paths[0], "has no row")
        return cls(entries)

    @property
    def digest(self) -> str:
        """SHA-256 over what the entries say, independent of where the files lie."""
        rows = [[e.path.name, *(e.column(c) for c in _COLUMNS[1:]), sorted(e.extra.items())] for e in self.entries]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()

    def where(self, conditions: Sequence[tuple[str, str]]) -> "Corpus":
        """Return the entries that meet all conditions; several values of one column are alternatives.

        Raises `SettingError` when no entry is left, or a value occurs nowhere.
        """
        wanted: dict[str, list[str]] = {}
        for name, value in conditions:
            known = sorted({found for e in self.entries if (found := e.column(name)) is not None})
            if value not in known:
                raise SettingError(f"no entry has {name}={value} ({name}: {', '.join(known[:12]) or 'no such column'})")
            wanted.setdefault(name, []).append(value)
        kept = tuple(e for e in self.entries if all(e.column(n) in values for n, values in wanted.items()))
        if not kept:
            raise SettingError("no entry meets all of " + ", ".join(f"{n}={v}" for n, v in conditions))
        return Corpus(kept)

    def part(self, *splits: str) -> "Corpus":
        """Return the entries of some splits; raise `SettingError` when one of them is empty."""
        known = sorted({entry.split for entry in self.entries})
        if missing := [split for split in splits if split not in known]:
            raise SettingError(f"no clip is in the split {missing[0]!r}; there are: {', '.join(known)}")
        return Corpus(tuple(entry for entry in self.entries if entry.split in splits))


def write_index(path: Path, entries: Sequence[Entry]) -> None:
    """Write an index (CSV, or JSON lines for `.jsonl`); columns that no entry fills are left out."""
    extra = sorted({name for e in entries for name in e.extra})
    columns = [c for c in (*_COLUMNS, *extra) if c in REQUIRED or any(e.column(c) for e in entries)]
    with atomic_text(path) as file:
        paths = [_relative(e.path, path) if e.has_media else "" for e in entries]
        rows = [{c: e.column(c) or "" for c in columns} | {"path": p} for e, p in zip(entries, paths, strict=True)]
        if broken := next((row for row in rows if not all(map(is_text, row.values()))), None):
            raise CorpusError(ascii(broken["path"]), "has a name or words that are not Unicode text; rename it")
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def is_text(value: str) -> bool:
    """Say whether UTF-8 can hold it: names from a disk may hide bytes that are no text."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _relative(path: Path, index: Path) -> str:
    """Return the way as the system walks it: `..` after a link leaves where the link leads."""
    return Path(os.path.relpath(path.parent.resolve() / path.name, index.parent.resolve())).as_posix()


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield line number and columns of every row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _jsonl(path, file) if path.suffix == ".jsonl" else _csv(path, file)
    except OSError as error:
        raise CorpusError(path, f"cannot be read ({error.strerror}); make an index with `mmer data import`") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(path, f"is not a CSV index in UTF-8 ({error})") from error


def _csv(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(lines)
    names = list(reader.fieldnames or ())
    if twice := [name for name in names if names.count(name) > 1]:
        raise CorpusError(path, f"the index has the column {twice[0]!r} twice")
    if missing := [name for name in REQUIRED if name not in names]:
        raise CorpusError(path, f"the index has no column {', '.join(missing)} (needed: {', '.join(REQUIRED)})")
    for row in reader:
        if None in row or None in row.values():
            raise CorpusError(path, f"line {reader.line_num} has not as many fields as the header")
        yield reader.line_num, row


def _jsonl(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(path, f"line {number} is not JSON ({error})") from error
        if not isinstance(row, dict) or not row.keys() >= set(REQUIRED):
            raise CorpusError(path, f"line {number} needs the fields {', '.join(REQUIRED)}")
        yield number, {str(k): "" if v is None else str(v) for k, v in row.items()}


def _entry(path: Path, number: int, row: Mapping[str, str]) -> Entry:
    if odd := [name for name, value in row.items() if not (is_text(name) and is_text(value)) or "\0" in value]:
        raise CorpusError(path, f"line {number} has {odd[0]!a} with something that is not text")
    if not row["split"].strip():
        raise CorpusError(path, f"line {number} has no split")
    if not row["path"].strip() and not row.get("transcript", "").strip():
        raise CorpusError(path, f"line {number} has no path, and no transcript either")
    if (label := canonical(row["label"])) is None:
        raise CorpusError(
            path, f"line {number} has the label {row['label']!r}, which is none of ours (see mmer/edge/labels.py)"
        )
    start_s, end_s = (_seconds(path, number, row, name) for name in ("start_s", "end_s"))
    if start_s is not None and end_s is not None and end_s <= start_s:
        raise CorpusError(path, f"line {number} ends ({end_s:g} s) before it starts ({start_s:g} s)")
    known = {c: row[c] for c in _COLUMNS if c in row}
    media = path.parent / row["path"] if row["path"].strip() else NO_MEDIA
    known |= {"path": media, "label": label, "start_s": start_s, "end_s": end_s}  # type: ignore[dict-item]
    return Entry(**known, extra={k: v for k, v in row.items() if k not in _COLUMNS})  # type: ignore[arg-type]


def _seconds(path: Path, number: int, row: Mapping[str, str], name: str) -> float | None:
    if not (text := row.get(name, "")):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise CorpusError(path, f"line {number} has {name} {text!r}, which is not a time in seconds")
    return value
