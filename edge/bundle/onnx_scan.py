"""What makes an ONNX file dangerous to load, found without loading it.

A graph may name other files to read its weights from, wherever they lie. The walk follows `onnx.proto` through everything that can hold a tensor and skips the weights.
"""

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mmer.edge.errors import BundleError

MOST_FIELDS = 1_000_000
"""A graph of 20 000 nodes has 130 000; the walk takes two to three microseconds for each."""

MOST_ELEMENTS_PER_BYTE = 4
"""No element type of ONNX is smaller than two bits."""

_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
}
"""Kind of message, number of a field, kind of the message in it."""

_SPARSE = "a sparse tensor, which may become larger than any file"
_REFUSED: Mapping[tuple[str, int], str] = {
    ("tensor", 13): "external data",
    ("graph", 15): _SPARSE,
    ("attribute", 22): _SPARSE,
    ("attribute", 23): _SPARSE,
}
_DIMS, _LOCATION, _OPERATOR = ("tensor", 1), ("tensor", 14), ("node", 4)

_VARINT, _LEN = 0, 2
_FIXED = {1: 8, 5: 4}


class _FaultError(Exception):
    """The reason to refuse the file."""


class _Field(NamedTuple):  # a hundred thousand are made: half the cost of a dataclass
    number: int
    wire: int
    value: int
    """A number, or where the content begins."""
    end: int


def scan_onnx(content: bytes, path: str | os.PathLike[str]) -> None:
    """Raise `BundleError`, naming `path`, for a graph that reads other files, states absurd sizes or is none at all."""
    try:
        _scan(content)
    except _FaultError as fault:
        raise BundleError(path, f"the graph has {fault}") from fault


def _scan(content: bytes) -> None:
    if content[4:8] == b"ORTM":
        raise _FaultError("ONNX Runtime's own format, which nothing can look into")
    waiting, seen, graphs = [("model", 0, len(content))], 0, 0
    while waiting:
        kind, start, end = waiting.pop()
        elements = 1
        for field in _fields(content, start, end):
            seen += 1
            if seen > MOST_FIELDS:
                raise _FaultError(f"more than {MOST_FIELDS} fields")
            _judge(kind, field, content)
            if (kind, field.number) == _DIMS:
                elements = _grown(elements, field, content, end - start)
            if field.wire == _LEN and (inside := _INSIDE[kind].get(field.number)):
                waiting.append((inside, field.value, field.end))
                graphs += inside == "graph"
    if not graphs:
        raise _FaultError("no ONNX graph in it")


def _judge(kind: str, field: _Field, content: bytes) -> None:
    if fault := _REFUSED.get((kind, field.number)):
        raise _FaultError(fault)
    if (kind, field.number) == _LOCATION and (field.wire != _VARINT or field.value):
        raise _FaultError("external data")
    if (kind, field.number) == _OPERATOR and content[field.value : field.end] == b"EPContext":
        raise _FaultError("a compiled engine (EPContext), which may lie in another file")


def _grown(elements: int, field: _Field, content: bytes, length: int) -> int:
    """Return the number of elements with one more field of dimensions; `length` is that of the tensor's message."""
    for dimension in [field.value] if field.wire == _VARINT else _packed(content, field):
        elements *= dimension
        if elements > length * MOST_ELEMENTS_PER_BYTE:  # negative ones are huge here
            raise _FaultError(f"a tensor of {elements} elements in {length} bytes")
    return elements


def _packed(content: bytes, field: _Field) -> Iterator[int]:
    at = field.value
    while at < field.end:
        value, at = _varint(content, at, field.end)
        yield value


def _fields(content: bytes, at: int, end: int) -> Iterator[_Field]:
    while at < end:
        tag, at = (content[at], at + 1) if content[at] < 0x80 else _varint(content, at, end)
        number, wire = tag >> 3, tag & 7
        if tag >> 32 or not number:  # some parsers cut long tags, and would see another field
            raise _FaultError("a field of an impossible number")
        if wire == _VARINT:
            value, at = _varint(content, at, end)
            yield _Field(number, wire, value, at)
            continue
        if wire == _LEN:
            length, at = _varint(content, at, end)
        elif wire in _FIXED:
            length = _FIXED[wire]
        else:
            raise _FaultError("a field of an unknown kind")
        if length > end - at:
            raise _FaultError("a field that is longer than what holds it")
        yield _Field(number, wire, at, at + length)
        at += length


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _FaultError("a number without an end")
