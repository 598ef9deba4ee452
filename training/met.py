"""Whom and what several trainings have met, and their stamps: no stranger to one is a stranger to the whole."""

from collections.abc import Iterable, Mapping


def met(provenances: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the digests of corpora, the speakers of each split and the stamps of all provenances together."""
    of = list(provenances)
    speakers = [_lists(one.get("speakers")) for one in of]
    return {
        "corpora": sorted({digest for one in of for digest in _corpora(one) if digest}),
        "speakers": {split: sorted({name for one in speakers for name in one.get(split, [])}) for split in _SPLITS},
        "stamps": sorted({stamp for one in of for stamp in _names(one.get("stamps"))}),
    }


_SPLITS = ("train", "val")


def _corpora(provenance: Mapping[str, object]) -> list[str]:
    """Return what the record of a training names, one from before there were several of them included."""
    return [str(provenance.get("corpus") or ""), *_names(provenance.get("corpora"))]


def _lists(data: object) -> dict[str, list[str]]:
    return {str(name): _names(value) for name, value in data.items()} if isinstance(data, dict) else {}


def _names(data: object) -> list[str]:
    return [str(name) for name in data] if isinstance(data, list) else []
