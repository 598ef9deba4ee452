"""What makes an ONNX file dangerous to load, found without loading it.

A graph may name other files to read its weights from, wherever they lie. The walk follows `onnx.proto` through
everything that can hold a tensor and skips the weights.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_REFUSED: Mapping[str, Mapping[int, str]] = {
    "tensor": {13: "external data"},
    "graph": {15: _SPARSE},
    "attribute": {22: _SPARSE, 23: _SPARSE},
}
"""Kind of message, number of a field, what is wrong with it."""

_DIMS, _LOCATION, _OPERATOR = 1, 14, 4
_MOST_DIMS = 64

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
        graphs += kind == "graph"
        inside, refused, found = _INSIDE[kind], _REFUSED.get(kind, {}), []
        for field in _fields(content, start, end):
            seen += 1
            if seen > MOST_FIELDS:
                raise _FaultError(f"more than {MOST_FIELDS} fields")
            if field.number in refused:
                raise _FaultError(refused[field.number])
            if field.wire == _LEN and field.number in inside:
                waiting.append((inside[field.number], field.value, field.end))
            elif kind in _JUDGES:
                found.append(field)
        if found:
            _JUDGES[kind](content, found, end - start)
    if not graphs:
        raise _FaultError("no ONNX graph in it")


def _judge_node(content: bytes, fields: Sequence[_Field], _length: int) -> None:
    operators = [content[f.value : f.end] for f in fields if f.number == _OPERATOR and f.wire == _LEN]
    if b"EPContext" in operators:
        raise _FaultError("a compiled engine (EPContext), which may lie in another file")


def _judge_tensor(content: bytes, fields: Sequence[_Field], length: int) -> None:
    if any(field.number == _LOCATION and (field.wire != _VARINT or field.value) for field in fields):
        raise _FaultError("external data")
    sizes = [size for field in fields if field.number == _DIMS for size in _sizes(content, field)]
    if len(sizes) > _MOST_DIMS or math.prod(sizes) > length * MOST_ELEMENTS_PER_BYTE:  # negative sizes are huge here
        raise _FaultError(f"a tensor of more elements than its {length} bytes can hold")


_JUDGES: Mapping[str, Callable[[bytes, Sequence[_Field], int], None]] = {"node": _judge_node, "tensor": _judge_tensor}


def _sizes(content: bytes, field: _Field) -> Iterator[int]:
    """Yield one dimension, or the first of several that stand in one field."""
    at, left = field.value, _MOST_DIMS + 1
    if field.wire == _VARINT:
        yield field.value
        return
    while at < field.end and left:
        value, at = _varint(content, at, field.end)
        left -= 1
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
