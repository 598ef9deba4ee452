"""Installed wheels against what mmer's own metadata asks for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FAMILIES = (
    ("onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml", "onnxruntime"),
    ("opencv-contrib-python", "opencv-python", "opencv-contrib-python-headless", "opencv-python-headless"),
)
"""Wheels that write into one folder, so that only one may be installed; any does, the fuller stand first."""

_NOT_FOR_USERS = frozenset({"dev"})


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel that mmer asks for."""

    name: str
    """That of the wheel of the same family that stands in for it, where there is one."""
    version: str | None
    """`None` when it is not installed."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What mmer's own metadata asks for."""

    core: tuple[Package, ...]
    extras: Mapping[str, tuple[Package, ...]]


@dataclass(frozen=True, slots=True)
class _Requirement:
    name: str
    includes: tuple[str, ...]
    extra: str | None


def canonical(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(requires: Sequence[str], installed: Mapping[str, str]) -> Needs:
    """Match requirements as `importlib.metadata` lists them with the installed versions by canonical name.

    An extra that only joins others (`all`) is left out, and so are those for developers.
    """
    parsed = [_parsed(line) for line in requires]
    extras = dict.fromkeys(r.extra for r in parsed if r.extra and r.extra not in _NOT_FOR_USERS and r.name != "mmer")
    core = _packages((r for r in parsed if r.extra is None), installed)
    return Needs(core, {extra: _packages(_of_extra(extra, parsed), installed) for extra in extras})


def package(name: str, installed: Mapping[str, str]) -> Package:
    """Return the package, or the fullest of its family that is installed."""
    family = next((family for family in FAMILIES if name in family), (name,))
    found = next((n for n in family if n in installed), name)
    return Package(found, installed.get(found))


def _packages(requirements: Iterable[_Requirement], installed: Mapping[str, str]) -> tuple[Package, ...]:
    names = dict.fromkeys(r.name for r in requirements)
    return tuple(package(name, installed) for name in names)


def _of_extra(extra: str, parsed: Sequence[_Requirement]) -> list[_Requirement]:
    """Return an extra's requirements with those of the extras that it includes, such as `mmer[train]`."""
    own = [r for r in parsed if r.extra == extra]
    included = [r for o in own if o.name == "mmer" for other in o.includes for r in _of_extra(other, parsed)]
    return [*(r for r in own if r.name != "mmer"), *included]


def _parsed(line: str) -> _Requirement:
    wanted, _, marker = line.partition(";")
    includes = re.search(r"\[([^\]]*)\]", wanted)
    extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
    return _Requirement(
        canonical(re.split(r"[^\w.-]", wanted.strip(), maxsplit=1)[0]),
        tuple(part.strip() for part in includes[1].split(",")) if includes else (),
        extra[1] if extra else None,
    )
