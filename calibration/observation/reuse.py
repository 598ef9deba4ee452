"""Statistics of an earlier calibration, taken from its `calibration.json` for graphs that have not changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmer.calibration.improve.factors import Factors
from mmer.calibration.observation.statistics import Statistics
from mmer.calibration.observation.statistics_json import MalformedError, from_json, to_json
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.digest import digest, short
from mmer.edge.errors import DataError

RECORD = "calibration.json"
SCHEMA = "mmer.calibration/1"
_MOST_BYTES = 64 << 20
_MOST_TENSORS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """What an earlier calibration saw."""

    digest: str
    """Of the document that they stand in."""
    graphs: Mapping[str, Mapping[str, Statistics]]
    """By graph and tensor."""
    factors: Mapping[str, Sequence[Factors]]
    """By which each graph was changed before it was looked at; none of a graph that was not."""


class RangesError(DataError):
    """The file does not hold statistics that can be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: its ranges cannot be used ({reason}); calibrate without --ranges")


def statistics_document(
    content: bytes, statistics: Mapping[str, Statistics], factors: Sequence[Factors]
) -> dict[str, object]:
    """Return what was seen of a float graph, so that it can be told from any other, and how it was changed before."""
    return {
        "digest": digest(content),
        "factors": [each.to_json() for each in factors],
        "tensors": {name: to_json(kept) for name, kept in sorted(statistics.items())},
    }


def earlier_ranges(path: Path, bundle: Bundle) -> Ranges:
    """Return the statistics that a bundle or its `calibration.json` holds of another bundle's graphs.

    Raises `RangesError` when the file is damaged or too large, or when a graph is not the one that was looked at.
    """
    content = _content(path)
    graphs = _member(_document(content, path), "statistics", path)
    shared = graphs.keys() & bundle.manifest.graphs.keys()
    if not shared:
        raise RangesError(path, "it knows none of the graphs")
    for name in sorted(shared):
        found = digest(bundle.graph(name, "fp32"))
        stated = _member(graphs, name, path).get("digest")
        if stated != found:
            raise RangesError(path, f"graph {name} has digest {short(found)}, they are of {str(stated)[:12]}")
    tensors = {name: _member(_member(graphs, name, path), "tensors", path) for name in sorted(shared)}
    looked_at = [name for name, found in tensors.items() if found]
    factors = {name: _factors(_member(graphs, name, path).get("factors"), path) for name in looked_at}
    return Ranges(digest(content), {name: _statistics(found, path) for name, found in tensors.items()}, factors)


def _content(path: Path) -> bytes:
    if path.is_dir() or path.suffix == ".zip":
        bundle = Bundle.open(path)
        listed = bundle.manifest.files.get(RECORD)
        if listed is None or listed.size > _MOST_BYTES:
            raise RangesError(path, f"it has no {RECORD} of at most {_MOST_BYTES >> 20} MiB")
        return bundle.read(RECORD)
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        raise RangesError(path, f"it is no file of at most {_MOST_BYTES >> 20} MiB")
    return path.read_bytes()


def _document(content: bytes, path: Path) -> Mapping[str, object]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RangesError(path, f"not JSON: {str(error)[:80]}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise RangesError(path, f"it does not say {SCHEMA}")
    return document


def _member(document: Mapping[str, object], name: str, path: Path) -> Mapping[str, object]:
    found = document.get(name)
    if not isinstance(found, dict) or len(found) > _MOST_TENSORS:
        raise RangesError(path, f"it has no {name[:40]}, or too much of it")
    return found


def _factors(found: object, path: Path) -> Sequence[Factors]:
    if not isinstance(found, list) or len(found) > _MOST_TENSORS:
        raise RangesError(path, "it has no list of factors, or too much of it")
    return tuple(map(Factors.from_json, found))


def _statistics(tensors: Mapping[str, object], path: Path) -> Mapping[str, Statistics]:
    return {name: _tensor(name, document, path) for name, document in tensors.items()}


def _tensor(name: str, document: object, path: Path) -> Statistics:
    try:
        return from_json(document)
    except MalformedError as error:
        raise RangesError(path, f"tensor {name[:80]!r}: {error}") from error
