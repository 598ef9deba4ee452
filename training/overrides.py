"""Settings changed one by one from the command line, such as `optimiser.lr=0.001`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from mmer.edge.errors import SettingError
from mmer.training.settings import restored

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def overridden(settings: S, changes: Sequence[str], option: str = "--set") -> S:
    """Return the settings with `place=value` changes; raise `SettingError` for a place or value that does not fit.

    `option` is what the changes were given by.
    """
    document = json.loads(json.dumps(asdict(settings)))
    for change in changes:
        place, equals, value = change.partition("=")
        if not equals:
            raise SettingError(f"{option} {change} has no value; write it as place=value")
        if not _set(document, settings, place.split("."), _value(value)):
            raise SettingError(f"{option} {place}: there is no such setting; there are: {', '.join(_places(document))}")
    return restored(settings, document)


def _set(group: dict[str, object], like: object, place: Sequence[str], value: object) -> bool:
    """Change a value where there is such a place; a mapping, such as `rates`, takes any name, dots and all."""
    name, *rest = place
    if isinstance(like, Mapping):
        group[".".join(place)] = value
        return True
    if name not in group:
        return False
    if not rest:
        group[name] = value
        return True
    below = group[name]
    return isinstance(below, dict) and _set(below, getattr(like, name), rest, value)


def _value(text: str) -> object:
    """Return JSON where the text is JSON, else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _places(document: dict[str, object], above: str = "") -> list[str]:
    found: list[str] = []
    for name, value in document.items():
        found += _places(value, f"{above}{name}.") if isinstance(value, dict) and value else [above + name]
    return found
