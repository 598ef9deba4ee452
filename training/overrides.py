"""Settings changed one by one from the command line, such as `optimiser.lr=0.001`."""

import json
from collections.abc import Sequence
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
        *groups, name = place.split(".")
        group = document
        for step in groups:
            group = group.get(step) if isinstance(group, dict) else None
        if not isinstance(group, dict) or name not in group:
            raise SettingError(f"{option} {place}: there is no such setting; there are: {', '.join(_places(document))}")
        group[name] = _value(value)
    return restored(settings, document)


def _value(text: str) -> object:
    """Return JSON where the text is JSON, else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _places(document: dict[str, object], above: str = "") -> list[str]:
    found: list[str] = []
    for name, value in document.items():
        found += _places(value, f"{above}{name}.") if isinstance(value, dict) else [above + name]
    return found
