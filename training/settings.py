"""Nested settings read back from JSON, as strictly as they were written."""

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from mmer.edge.errors import SettingError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def restored(like: S, data: object, place: str = "settings") -> S:
    """Return settings of the same kind as `like` with the values in `data`, which `asdict` and JSON made.

    Raises `SettingError` for a member that is missing, unknown or of another type.
    """
    known = {f.name: getattr(like, f.name) for f in fields(like)}
    if not isinstance(data, dict) or data.keys() != known.keys():
        found = ", ".join(sorted(data)) if isinstance(data, dict) else repr(data)
        raise SettingError(f"{place} has {found}; it needs exactly {', '.join(known)}")
    return replace(like, **{name: _value(value, data[name], f"{place}.{name}") for name, value in known.items()})


def _value(like: object, data: object, place: str) -> object:
    if is_dataclass(like) and not isinstance(like, type):
        return restored(like, data, place)
    if isinstance(like, tuple) and isinstance(data, list) and like:
        return tuple(_value(like[0], value, f"{place}[{number}]") for number, value in enumerate(data))
    if type(like) is float and type(data) is int:
        return float(data)
    if type(data) is not type(like):
        raise SettingError(f"{place} is {data!r:.80}, where something like {like!r} is needed")
    return data


def divides(name: str, parts: int, whole: int) -> None:
    """Raise `SettingError` for a number that does not divide another."""
    if whole % parts:
        raise SettingError(f"{name} is {parts}, which does not divide {whole}")
