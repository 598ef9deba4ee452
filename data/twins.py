"""The same recording in two splits, told by content: by bytes, by sound, by pictures, by long texts."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmer.data.pictureprint import bands
from mmer.data.soundprint import disagreement
from mmer.edge.corpus import Entry

MOST_DIFFERENT_BITS = 0.2
"""The same take as AAC and as Opus differs in 0.08 to 0.11 of the bits, two takes of one sentence in 0.36 and more."""
LEAST_WINDOWS = 30
"""Half a second: less sounds alike by chance."""
LEAST_ALIKE = 0.995
"""Correlation of two pictures; one that was halved, doubled or saved at quality 30 keeps 0.995 and more."""
LONG_WORDS = 20
"""Two people may well write the same sentence of fewer words."""
_CROWD = 64
"""More recordings under one hash say that the hash stands for nothing, such as a hum."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is kept of a recording to know it again."""

    digest: str
    """Of the bytes of its file, empty for words alone."""
    sound: NDArray[np.uint32]
    """As `soundprint` gives it."""
    pictures: NDArray[np.float32]
    """`[N, 256]`, as `pictureprint` gives them; empty where the sound is enough."""


@dataclass(frozen=True, slots=True)
class Twin:
    """Two entries of different splits that hold the same."""

    kind: str
    """`file`, `sound`, `picture` or `text`."""
    paths: tuple[Path, Path]
    splits: tuple[str, str]
    detail: str = ""


Pair = tuple[int, int]


def twins(entries: Sequence[Entry], contents: Sequence[Content]) -> tuple[Twin, ...]:
    """Return every pair across splits once, by the plainest of its likenesses."""
    found: dict[Pair, str] = {}
    for kind, pairs in (
        ("file", _same_bytes(entries, contents)),
        ("sound", _same_sound(entries, contents)),
        ("picture", _same_pictures(entries, contents)),
        ("text", _same_words(entries)),
    ):
        for pair in pairs:
            found.setdefault(pair, kind)
    return tuple(_twin(kind, entries[a], entries[b]) for (a, b), kind in sorted(found.items()))


def repeated_texts(entries: Sequence[Entry]) -> int:
    """Return how many texts without media stand in more than one split, however short."""
    splits = defaultdict(set)
    for entry in entries:
        if not entry.has_media:
            splits[_plain(entry.transcript)].add(entry.split)
    return sum(len(found) > 1 for found in splits.values())


def _twin(kind: str, one: Entry, other: Entry) -> Twin:
    return Twin(kind, (one.path, other.path), (one.split, other.split), one.transcript if kind == "text" else "")


def _across(entries: Sequence[Entry], places: Sequence[int]) -> Iterator[Pair]:
    """Yield each place of a group of equals with the first that has the same in another split."""
    for at, place in enumerate(places):
        for first in places[:at]:
            if entries[first].split != entries[place].split and _overlap(entries[first], entries[place]):
                yield first, place
                break


def _same_bytes(entries: Sequence[Entry], contents: Sequence[Content]) -> Iterator[Pair]:
    """Yield pairs of one file; stretches of it that do not overlap are different recordings."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, content in enumerate(contents):
        if content.digest:
            groups[content.digest].append(place)
    for places in groups.values():
        yield from _across(entries, places)


def _overlap(one: Entry, other: Entry) -> bool:
    ends = [np.inf if e.end_s is None else e.end_s for e in (one, other)]
    return max(one.start_s or 0.0, other.start_s or 0.0) < min(ends)


def _same_words(entries: Sequence[Entry]) -> Iterator[Pair]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        if not entry.has_media and len(entry.transcript.split()) >= LONG_WORDS:
            groups[_plain(entry.transcript)].append(place)
    for places in groups.values():
        yield from _across(entries, places)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _same_sound(entries: Sequence[Entry], contents: Sequence[Content]) -> Iterator[Pair]:
    for (one, other), shifts in _sounding_alike(entries, contents).items():
        for shift in shifts:
            differ, windows = disagreement(contents[one].sound, contents[other].sound, shift)
            if differ <= MOST_DIFFERENT_BITS and windows >= LEAST_WINDOWS:
                yield one, other
                break


def _sounding_alike(entries: Sequence[Entry], contents: Sequence[Content]) -> Mapping[Pair, set[int]]:
    """Return the pairs that share a number of their prints, and how far apart they have it."""
    numbers = np.concatenate([c.sound for c in contents]) if contents else np.zeros(0, np.uint32)
    owners = np.repeat(np.arange(len(contents)), [len(c.sound) for c in contents])
    places = np.concatenate([np.arange(len(c.sound)) for c in contents]) if contents else owners
    found: dict[Pair, set[int]] = defaultdict(set)
    for crowd in _crowds(numbers):
        for a, b in combinations(sorted(crowd), 2):
            one, other = int(owners[a]), int(owners[b])
            if entries[one].split != entries[other].split:
                found[one, other].add(int(places[a] - places[b]))
    return found


def _same_pictures(entries: Sequence[Entry], contents: Sequence[Content]) -> Iterator[Pair]:
    """Yield pairs that were not heard and look the same in each of their pictures."""
    shown = [place for place, content in enumerate(contents) if len(content.pictures)]
    if not shown:
        return
    firsts = bands(np.stack([contents[place].pictures[0] for place in shown]))
    seen: set[Pair] = set()
    for band in firsts.T:
        for crowd in _crowds(band.astype(np.uint32) + 1, most=len(shown)):
            members = np.array(sorted(crowd))
            for a, b in _looking_alike([contents[shown[m]].pictures[0] for m in members]):
                pair = shown[members[a]], shown[members[b]]
                if pair not in seen and entries[pair[0]].split != entries[pair[1]].split:
                    seen.add(pair)
                    if _all_alike(contents[pair[0]].pictures, contents[pair[1]].pictures):
                        yield pair


def _looking_alike(prints: Sequence[NDArray[np.float32]]) -> Iterator[tuple[int, int]]:
    stacked = np.stack(prints)
    for row in range(len(stacked) - 1):
        for other in np.flatnonzero(stacked[row + 1 :] @ stacked[row] >= LEAST_ALIKE):
            yield row, row + 1 + int(other)


def _all_alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Say whether the pictures of the shorter all stand in the longer, at the same places."""
    count = min(len(one), len(other))
    return bool(np.all(np.sum(one[:count] * other[:count], axis=1) >= LEAST_ALIKE))


def _crowds(numbers: NDArray[np.uint32], most: int = _CROWD) -> Iterator[NDArray[np.intp]]:
    """Yield the places of every number but 0 that occurs more than once, and at most `most` times."""
    order = np.argsort(numbers, kind="stable")
    order = order[numbers[order] != 0]
    ends = np.flatnonzero(np.diff(numbers[order])) + 1
    for start, end in zip([0, *ends], [*ends, len(order)], strict=True):
        if 2 <= end - start <= most:
            yield order[start:end]
