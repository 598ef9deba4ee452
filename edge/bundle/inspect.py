"""What is inside a bundle, told without running it."""

import json
from collections.abc import Iterator

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.graph import Graph
from mmer.edge.bundle.manifest import Manifest
from mmer.edge.bundle.notice import figures
from mmer.edge.bundle.plan import Stage
from mmer.edge.tensors import TensorSpec

SCHEMA = "mmer.inspect/1"


def inspect(bundle: Bundle) -> dict[str, object]:
    """Return everything that the manifest says under the schema `mmer.inspect/1`, whose `format` is the manifest's."""
    manifest = bundle.manifest.to_json()
    return {
        "schema": SCHEMA,
        "path": str(bundle.path),
        "digest": bundle.digest,
        "notice": bundle.manifest.notice,
        "format": manifest.pop("schema"),
        **manifest,
    }


def lines(bundle: Bundle) -> Iterator[str]:
    """Yield the facts as lines of plain text."""
    manifest = bundle.manifest
    yield f"bundle     {manifest.name} ({manifest.system}, preset {manifest.preset})"
    yield f"digest     {bundle.short}"
    if manifest.notice:
        yield f"notice     {manifest.notice}"
    yield f"labels     {', '.join(manifest.head.labels)} ({manifest.head.task})"
    yield f"looks at   {', '.join(manifest.plan.modalities)}"
    yield from (f"input      {name}: {constants}" for name, constants in _inputs(manifest))
    yield from (f"stage      {_stage(stage)}" for stage in manifest.plan.stages)
    for name, graph in manifest.graphs.items():
        yield f"graph      {name}: {_tensors(graph.inputs)} -> {_tensors(graph.outputs)}"
        yield f"           {_files(manifest, graph)}"
    yield from (f"metric     {name}: {json.dumps(value)}" for name, value in figures(manifest.metrics).items())
    yield from (f"made       {name}: {json.dumps(value)}" for name, value in manifest.provenance.items())
    yield f"size       {_mb(sum(content.size for content in manifest.files.values()))}, {len(manifest.files)} files"


def _inputs(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the constants of each modality; JSON keeps control characters off the terminal."""
    for name, constants in manifest.inputs.to_json().items():
        if constants:
            yield name, " ".join(f"{key}={json.dumps(value)}" for key, value in constants.items())


def _stage(stage: Stage) -> str:
    needs = f", needs {' and '.join(stage.needs)}" if stage.needs else ""
    return f"{stage.name}, each {stage.rate}: {', '.join(stage.inputs)} -> {', '.join(stage.outputs)}{needs}"


def _tensors(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.name} {spec.dtype} [{', '.join(map(str, spec.shape))}]" for spec in specs)


def _files(manifest: Manifest, graph: Graph) -> str:
    return ", ".join(f"{name} {_mb(manifest.files[variant.path].size)}" for name, variant in graph.files.items())


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
