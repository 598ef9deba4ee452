"""MELD: lines of the series Friends, the authors' tables and the clips that belong to them (Poria and others, 2019)."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmer.data.sets.source import Source, split_of, table, text_entry
from mmer.edge.corpus import Entry
from mmer.edge.errors import CorpusError
from mmer.edge.labels import canonical

_COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
_CLIP = re.compile(r"dia(\d+)_utt(\d+)")


def meld(source: Source) -> Iterator[Entry]:
    """Yield the lines of the tables, in the official splits, with their clips where they are.

    A line without a clip is words alone. The character stands in `role`; where there is a clip, so does the actor as
    its speaker. The six friends are seen in all official splits: with clips, the set leaks by its authors' design.
    """
    clips = _clips(source)
    for path in source.files("*.csv"):
        if (split := split_of(path.stem)) is None:
            continue
        for number, row in table(path, _COLUMNS):
            yield _entry(path, number, row, clips.get((split, row["Dialogue_ID"], row["Utterance_ID"])))


def _clips(source: Source) -> Mapping[tuple[str, str, str], Path]:
    """Return the clips by split, dialogue and utterance; the nearest folder that names a split is theirs."""
    found = {}
    for path in source.files("dia*_utt*.mp4"):
        match, inside = _CLIP.fullmatch(path.stem), path.relative_to(source.path).parts[-2::-1]
        split = next(filter(None, map(split_of, inside)), None)
        if match is not None and split is not None:
            found[split, match[1], match[2]] = path
    return found


def _entry(path: Path, number: int, row: Mapping[str, str], clip: Path | None) -> Entry:
    split, words, who = split_of(path.stem) or "", row["Utterance"].strip(), row["Speaker"].strip()
    if (label := canonical(row["Emotion"])) is None:
        raise CorpusError(path, f"line {number} has the emotion {row['Emotion']!r}, which is none of MELD's")
    if clip is None and not words:
        raise CorpusError(path, f"line {number} has neither words nor a clip; take it out")
    plain = text_entry(words, label, split, "meld")
    return Entry(
        clip or plain.path,
        label,
        split,
        f"meld {who}" if clip else "",
        set=plain.set,
        transcript=words,
        conversation=f"{split}{row['Dialogue_ID']}",
        turn=row["Utterance_ID"],
        role=who,
    )
