"""A training in stages, each with what trains, on what and how; as data, and as a file."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among
from mmer.training.batch import MODALITIES
from mmer.training.branch import WHOLE, branch
from mmer.training.fitsettings import FitSettings
from mmer.training.overrides import overridden
from mmer.training.samples import Sample

_KEYS = ("name", "trains", "modality", "data", "fit")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of training that begins with what the one before it kept."""

    name: str = WHOLE
    trains: tuple[str, ...] = ()
    """Branches or dotted prefixes of parameters; all else is frozen. Without any, everything trains."""
    modality: str = WHOLE
    """`all`, or the one whose branch sees anything."""
    data: str = ""
    """The index of its own clips; empty for those that the whole training has."""
    fit: FitSettings = field(default_factory=FitSettings)

    def __post_init__(self) -> None:
        among("modality", self.modality, (WHOLE, *MODALITIES))

    def part(self, samples: Sequence[Sample], split: str) -> list[Sample]:
        """Return its samples of a split, with the modality that it trains on."""
        own = [sample for sample in samples if sample.index == self.data]
        return [sample for sample in branch(own, self.modality) if sample.split == split]


class StagesError(SettingError):
    """A file of stages cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; docs/training.md shows such a file")


def read_stages(path: Path, fit: FitSettings) -> tuple[Stage, ...]:
    """Read `.toml` or `.json`; what a stage leaves unsaid is as in `fit`. Raises `StagesError`."""
    document = _parsed(path)
    listed = document.get("stage") if isinstance(document, dict) and document.keys() == {"stage"} else None
    if not isinstance(listed, list) or not listed:
        raise StagesError(path, "it needs a list called stage and nothing else")
    stages = tuple(_stage(path, number, table, fit) for number, table in enumerate(listed, start=1))
    names = [stage.name for stage in stages]
    if twice := [name for name in names if names.count(name) > 1]:
        raise StagesError(path, f"two stages are called {twice[0]!r}")
    return stages


def _parsed(path: Path) -> object:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StagesError(path, f"it cannot be read ({error})") from error
    try:
        return _toml(path, content) if path.suffix == ".toml" else json.loads(content)
    except (ValueError, RecursionError) as error:  # also what tomllib raises
        raise StagesError(path, f"it is not {'TOML' if path.suffix == '.toml' else 'JSON'} ({error})") from error


def _toml(path: Path, content: str) -> object:
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415

        return tomllib.loads(content)
    raise StagesError(path, "Python 3.10 reads no TOML, so write it as JSON")


def _stage(path: Path, number: int, table: object, fit: FitSettings) -> Stage:
    if not isinstance(table, dict) or not isinstance(table.get("name"), str) or not table["name"]:
        raise StagesError(path, f"stage {number} has no name")
    if odd := [key for key in table if key not in _KEYS]:
        raise StagesError(path, f"stage {table['name']!r} has {odd[0]!r}; there are {', '.join(_KEYS)}")
    said = {"trains": [], "modality": WHOLE, "data": "", "fit": {}, **table}
    wrong = next((key for key, like in _LIKE.items() if not isinstance(said[key], like)), None)
    if wrong or not all(isinstance(part, str) for part in said["trains"]):
        raise StagesError(path, f"stage {table['name']!r} has {wrong or 'trains'} of the wrong kind")
    if "seed" in said["fit"]:
        raise StagesError(path, "the seed is one for all stages, so give it as --seed")
    try:
        changed = overridden(fit, _changes(said["fit"]))
        data = str(path.parent / said["data"]) if said["data"] else ""
        return Stage(said["name"], tuple(said["trains"]), said["modality"], data, changed)
    except SettingError as error:
        raise StagesError(path, f"stage {table['name']!r}: {error}") from error


_LIKE = {"trains": list, "modality": str, "data": str, "fit": dict}


def _changes(table: Mapping[str, object], above: str = "") -> list[str]:
    """Return a nested table as `place=value`, one for each value."""
    found = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _changes(value, f"{above}{name}.")
        else:
            found.append(f"{above}{name}={json.dumps(value, default=str)}")
    return found


def recorded(stage: Stage) -> Stage:
    """Return the stage as provenance tells of it: where an index lies is nobody's business."""
    return replace(stage, data=Path(stage.data).name)
