"""What a manifest says about one graph: its tensors, and the files that hold it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mmer.edge.backends.session import Session
from mmer.edge.bundle.document import Value
from mmer.edge.bundle.plan import NAME
from mmer.edge.errors import BundleError
from mmer.edge.tensors import TensorSpec

DTYPES = ("float32", "float16", "float64", "int64", "int32", "uint8", "int8", "bool")
LARGEST_DIMENSION = 1 << 24

PRECISION = re.compile(r"[a-z][a-z0-9]{0,15}(\.[a-z][a-z0-9]{0,15})?")
"""A precision and, where no single file serves all, the target: `fp32`, `int8.ort`."""

_DIMENSION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Variant:
    """One file that holds a graph."""

    path: str
    """Inside the bundle."""
    tolerance: float
    """How far the outputs may deviate from the golden ones, as `mmer.edge.bundle.golden` measures it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """One part of a model."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    files: Mapping[str, Variant]
    """By precision, such as `fp32` or `int8.ort`."""

    def accept(self, session: Session, path: str | os.PathLike[str]) -> None:
        """Raise `BundleError`, naming `path`, when a session's tensors are not those that the manifest states."""
        for stated, found in ((self.inputs, session.inputs), (self.outputs, session.outputs)):
            wanted, got = ({(spec.name, spec.dtype, len(spec.shape)) for spec in specs} for specs in (stated, found))
            if wanted != got:
                raise BundleError(path, f"the graph has the tensors {sorted(got)}, the manifest says {sorted(wanted)}")

    def to_json(self) -> dict[str, object]:
        """Return the graph as a manifest carries it."""
        files = {name: {"path": v.path, "tolerance": v.tolerance} for name, v in self.files.items()}
        return {"inputs": _specs(self.inputs), "outputs": _specs(self.outputs), "files": files}

    @classmethod
    def from_json(cls, value: Value) -> "Graph":
        """Return the graph that `to_json` wrote; raise `BundleError` for anything else."""
        parts = value.members("inputs", "outputs", "files")
        inputs, outputs = (tuple(map(_spec, parts[side].elements())) for side in ("inputs", "outputs"))
        return cls(inputs, outputs, {n: _variant(v) for n, v in parts["files"].entries(PRECISION).items()})


def _specs(specs: tuple[TensorSpec, ...]) -> list[object]:
    return [{"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)} for spec in specs]


def _spec(value: Value) -> TensorSpec:
    parts = value.members("name", "dtype", "shape")
    shape = tuple(_dimension(element) for element in parts["shape"].elements())
    return TensorSpec(parts["name"].text(NAME), parts["dtype"].among(DTYPES), shape)


def _dimension(value: Value) -> int | str:
    return value.text(_DIMENSION) if isinstance(value.data, str) else value.whole(1, LARGEST_DIMENSION)


def _variant(value: Value) -> Variant:
    parts = value.members("path", "tolerance")
    return Variant(parts["path"].text(re.compile(r"graphs/\S{1,100}\.onnx")), parts["tolerance"].real(0.0, 1.0))
