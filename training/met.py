"""Whom several trainings have met, and what they are stamped with: no stranger to one is a stranger to the whole."""

from collections.abc import Iterable, Mapping


def met(provenances: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the speakers of each split, and the stamps, of all provenances together."""
    of = list(provenances)
    speakers = [_lists(one.get("speakers")) for one in of]
    return {
        "speakers": {split: sorted({name for one in speakers for name in one.get(split, [])}) for split in _SPLITS},
        "stamps": sorted({stamp for one in of for stamp in _names(one.get("stamps"))}),
    }


_SPLITS = ("train", "val")


def _lists(data: object) -> dict[str, list[str]]:
    return {str(name): _names(value) for name, value in data.items()} if isinstance(data, dict) else {}


def _names(data: object) -> list[str]:
    return [str(name) for name in data] if isinstance(data, list) else []
