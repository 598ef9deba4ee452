"""Speakers who stand in two splits: figures on one of them flatter a model that learned from the other."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol


class Spoken(Protocol):
    """Whatever has a speaker and a split."""

    @property
    def speaker(self) -> str:
        """Who it is, empty when nobody knows."""
        ...

    @property
    def split(self) -> str:
        """The part of the corpus."""
        ...

    @property
    def stamp(self) -> str:
        """`LEAKY` when the index itself says that its splits share speakers."""
        ...


def leaking(clips: Iterable[Spoken]) -> Mapping[str, Mapping[str, int]]:
    """Return the clips by split of every speaker in more than one of them; a name is a person, whatever the set."""
    seen: dict[str, Counter[str]] = {}
    for clip in clips:
        if clip.speaker:
            seen.setdefault(clip.speaker, Counter())[clip.split] += 1
    return {speaker: splits for speaker, splits in sorted(seen.items()) if len(splits) > 1}
