"""Which clips of a corpus are looked at: every label and every speaker has its turn, in an order drawn by seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import SettingError


class TooFewClipsError(SettingError):
    """There are not two clips, one to calibrate with and one to judge by."""

    def __init__(self, clips: int, split: str) -> None:
        super().__init__(
            f"split {split} has {clips} clip(s), and calibration needs two or more: some to take ranges from, "
            "others to judge by; name another split or a larger corpus"
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """Clips to calibrate with and clips to judge by, none in both."""

    calibration: tuple[Entry, ...]
    fresh: tuple[Entry, ...]


def choose(corpus: Corpus, split: str, share: float, seed: int) -> Choice:
    """Deal the clips of a split; `share` of them, one at least, go to those that judge.

    Raises `SettingError` when the split is unknown or holds a single clip.
    """
    entries = corpus.where([("split", split)]).entries
    clips = {_clip(entry) for entry in entries}
    if len(clips) < 2:
        raise TooFewClipsError(len(clips), split)
    dealt = list(_dealt(entries, np.random.default_rng(seed)))
    count = min(max(1, round(share * len(clips))), len(clips) - 1)
    judging = set(list(dict.fromkeys(map(_clip, dealt)))[:count])
    return Choice(
        tuple(entry for entry in dealt if _clip(entry) not in judging),
        tuple(entry for entry in dealt if _clip(entry) in judging),
    )


def _clip(entry: Entry) -> str:
    """Return what must not stand on both sides: the file, or words that come without one."""
    return str(entry.path) if entry.has_media else entry.transcript


def _dealt(entries: Sequence[Entry], rng: np.random.Generator) -> Iterator[Entry]:
    """Yield one clip of each label and speaker, then the next of each, in rounds of an order of their own."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for index in rng.permutation(len(entries)):
        groups.setdefault((entries[index].label, entries[index].speaker), []).append(entries[index])
    for number in range(max(map(len, groups.values()))):
        waiting = [group[number] for group in groups.values() if len(group) > number]
        yield from _by_label(waiting)


def _by_label(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield entries so that labels take turns."""
    turns: dict[str, int] = {}
    numbered = []
    for entry in entries:
        turns[entry.label] = turns.get(entry.label, 0) + 1
        numbered.append((turns[entry.label], entry))
    yield from (entry for _, entry in sorted(numbered, key=lambda pair: pair[0]))
