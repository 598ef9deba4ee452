"""GoEmotions: comments with the numbers of their emotions (Demszky and others, 2020), in Ekman's classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmer.data.sets.source import Source, split_of, text_entry, text_of
from mmer.edge.corpus import Entry
from mmer.edge.errors import CorpusError

_EKMAN: Mapping[str, str] = {
    **dict.fromkeys(("anger", "annoyance", "disapproval"), "anger"),
    "disgust": "disgust",
    **dict.fromkeys(("fear", "nervousness"), "fear"),
    **dict.fromkeys(("joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism"), "happy"),
    **dict.fromkeys(("relief", "pride", "admiration", "desire", "caring"), "happy"),
    **dict.fromkeys(("sadness", "disappointment", "embarrassment", "grief", "remorse"), "sad"),
    **dict.fromkeys(("surprise", "realization", "confusion", "curiosity"), "surprise"),
    "neutral": "neutral",
}
"""The authors' `ekman_mapping.json`, in our names; the 28 emotions and the 7 classes themselves."""


def goemotions(source: Source) -> Iterator[Entry]:
    """Yield the comments whose emotions fall into one class; those of several have no one label and are left out."""
    names = _names(source)
    for path in source.files("*.tsv"):
        if (split := split_of(path.stem)) is not None:
            yield from _comments(path, split, names)


def _names(source: Source) -> Sequence[str]:
    """Return the emotions by number: as listed in `labels.txt` or the authors' `emotions.txt`."""
    lists = source.files("*labels.txt", "*emotions.txt")
    if not lists:
        raise CorpusError(source.path, "has no labels.txt that says which number is which emotion; put it there")
    names = text_of(lists[0]).split()
    if strange := [name for name in names if name not in _EKMAN]:
        raise CorpusError(lists[0], f"lists {strange[0]!r}, which is none of GoEmotions' emotions")
    return names


def _comments(path: Path, split: str, names: Sequence[str]) -> Iterator[Entry]:
    for number, line in enumerate(text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        words, _, rest = line.partition("\t")
        numbers, _, comment = rest.strip().partition("\t")
        classes = {_class(path, number, value, names) for value in numbers.split(",")}
        if len(classes) == 1 and words.strip():
            yield replace(text_entry(words.strip(), classes.pop(), split, "goemotions"), extra={"comment": comment})


def _class(path: Path, number: int, value: str, names: Sequence[str]) -> str:
    if not value.isdecimal() or int(value) >= len(names):
        raise CorpusError(
            path, f"line {number} has the emotion {value!r}, which is no number of the {len(names)} listed"
        )
    return _EKMAN[names[int(value)]]
