"""JSON read strictly: what is missing, unknown, of another type or out of range is refused by its place."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from mmer.edge.bundle.digest import canonical
from mmer.edge.errors import BundleError

K = TypeVar("K", bound=str)

MOST_ENTRIES = 4096
"""Members of an object or elements of a list."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a document."""

    data: object
    place: str
    """Such as `plan.stages[2].rate`."""
    path: str | os.PathLike[str]
    """The file to name in a `BundleError`; every method may raise one."""

    @classmethod
    def parsed(cls, content: bytes, path: str | os.PathLike[str]) -> "Value":
        """Return the document in `content`, which must stand in its canonical form."""
        whole = cls(None, "manifest", path)
        try:
            data = json.loads(content)
            unchanged = canonical(data) == content
        except (ValueError, RecursionError) as error:
            raise whole.refused(f"not JSON: {error}") from error
        if not unchanged:
            raise whole.refused("not in canonical form")
        return cls(data, "manifest", path)

    def refused(self, reason: str) -> BundleError:
        """Return the error to raise."""
        return BundleError(self.path, f"{self.place}: {reason}")

    def members(self, *names: str) -> Mapping[str, "Value"]:
        """Return the members of an object that must have these and no others."""
        found = self.entries()
        if missing := [name for name in names if name not in found]:
            raise self.refused(f"lacks {', '.join(missing)}")
        if unknown := sorted(found.keys() - set(names)):
            raise self.refused(f"has {unknown[0]!r:.80}, which this version does not know")
        return found

    def entries(self, names: re.Pattern[str] | None = None) -> Mapping[str, "Value"]:
        """Return the members of an object, all names of the given form."""
        if not isinstance(self.data, dict) or len(self.data) > MOST_ENTRIES:
            raise self.refused(f"not an object of at most {MOST_ENTRIES} members")
        if names and (odd := [name for name in self.data if not names.fullmatch(name)]):
            raise self.refused(f"the name {odd[0]!r:.80} cannot be used")
        return {name: Value(data, f"{self.place}.{name:.80}", self.path) for name, data in self.data.items()}

    def elements(self) -> list["Value"]:
        """Return the elements of a list."""
        if not isinstance(self.data, list) or len(self.data) > MOST_ENTRIES:
            raise self.refused(f"not a list of at most {MOST_ENTRIES} elements")
        return [Value(data, f"{self.place}[{number}]", self.path) for number, data in enumerate(self.data)]

    def text(self, form: re.Pattern[str]) -> str:
        """Return a text of the given form."""
        if not isinstance(self.data, str) or not form.fullmatch(self.data):
            raise self.refused(f"{self.data!r:.80} cannot be used")
        return self.data

    def texts(self, form: re.Pattern[str]) -> tuple[str, ...]:
        """Return a list of texts of the given form."""
        return tuple(element.text(form) for element in self.elements())

    def among(self, known: tuple[K, ...]) -> K:
        """Return a text that is one of those known."""
        found = next((name for name in known if name == self.data), None)
        if found is None:
            raise self.refused(f"{self.data!r:.80} is not one of {', '.join(known)}")
        return found

    def whole(self, low: int, high: int) -> int:
        """Return a whole number within the range."""
        if type(self.data) is not int or not low <= self.data <= high:
            raise self.refused(f"{self.data!r:.80} is not a whole number within {low}..{high}")
        return self.data

    def real(self, low: float, high: float) -> float:
        """Return a number within the range."""
        if type(self.data) not in (int, float) or not low <= self.data <= high:  # type: ignore[operator]
            raise self.refused(f"{self.data!r:.80} is not a number within {low:g}..{high:g}")
        return float(self.data)  # type: ignore[arg-type]
