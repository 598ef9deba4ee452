"""A bundle: the graphs of one model, how they hang together and what they need."""

from dataclasses import dataclass
from pathlib import Path

from mmer.edge.bundle.plan import Plan
from mmer.edge.tensors import TensorSpec


@dataclass(frozen=True, slots=True)
class Graph:
    """One subgraph of a bundle and the files that hold it, one for each precision."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    files: dict[str, Path]
    """Path inside the bundle by precision, such as `fp32` or `int8.ort`."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What `manifest.json` says, checked."""

    root: Path
    name: str
    digest: str
    labels: tuple[str, ...]
    plan: Plan
    graphs: dict[str, Graph]
