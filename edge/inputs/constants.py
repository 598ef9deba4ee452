"""Preprocessing constants as the plain JSON that a manifest carries."""

import os
from collections.abc import Collection
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, TypeVar

from mmer.edge.errors import BundleError, SettingError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")

_LARGEST = 1e300  # also keeps NaN, infinity and integers beyond any float out


def to_json(constants: "DataclassInstance") -> dict[str, object]:
    """Return every constant by name."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(constants).items()}


def from_json(kind: type[C], data: object, path: str | os.PathLike[str]) -> C:
    """Return the constants that `to_json` wrote; `path` is the file to name in a `BundleError`.

    Every constant must be there: one left to a default would change with the version of mmer.
    """
    defaults = {f.name: f.default for f in fields(kind)}
    if not isinstance(data, dict):
        raise BundleError(path, f"{kind.__name__} is not an object")
    if missing := sorted(defaults.keys() - data.keys()):
        raise BundleError(path, f"{kind.__name__} lacks {', '.join(missing)}")
    if unknown := sorted(data.keys() - defaults.keys()):
        raise BundleError(path, f"{kind.__name__} has {', '.join(unknown)}, which this version does not know")
    try:
        return kind(**{name: _like(default, name, data[name]) for name, default in defaults.items()})
    except SettingError as error:
        raise BundleError(path, f"{kind.__name__}: {error}") from error


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise `SettingError` for a value out of range; NaN always is."""
    if not low <= value <= high:
        raise SettingError(f"{name} is {value:g}, not within {low:g}..{high:g}")


def among(name: str, value: str, known: Collection[str]) -> None:
    """Raise `SettingError` for a value that is not one of those known."""
    if value not in known:
        raise SettingError(f"{name} is {value!r}, not one of {', '.join(known)}")


def _like(default: object, name: str, value: object) -> object:
    """Return the value if it is of the default's kind; lists become tuples of the same length."""
    if isinstance(default, tuple) and isinstance(value, list) and len(value) == len(default):
        return tuple(_like(d, name, v) for d, v in zip(default, value, strict=True))
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        raise SettingError(f"{name} is not a finite number")
    if type(default) is float and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise SettingError(f"{name} is {value!r}, where something like {default!r} is needed")
    return value
