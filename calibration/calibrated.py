"""What calibration decided: for people, for programs, and as a bundle."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mmer.calibration.agreement import Agreement
from mmer.calibration.judge import HALF, Form, Judgement
from mmer.edge.bundle import golden
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.paths import golden_outputs_path
from mmer.edge.bundle.writer import write_bundle

SCHEMA = "mmer.calibrate/1"
RECORD = "calibration.json"
RECORD_SCHEMA = "mmer.calibration/1"

_OWN = ("int8", HALF)
"""Precisions that calibration writes; those of an earlier calibration give way."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The judgement on every graph of a bundle."""

    source: Bundle
    judgements: Sequence[Judgement]
    chosen: Agreement
    """Float against the plan in the precisions that are kept."""
    quantised: Agreement
    """Float against the plan with every INT8 graph that loads, slow and coarse ones too."""
    facts: Mapping[str, object]
    """Settings, samples, recipe, machine and versions."""

    def save(self, path: Path, *, exist_ok: bool = False) -> Bundle:
        """Write the bundle with the forms that are kept; raise `OutputExistsError` as `write_bundle` does."""
        manifest = self.source.manifest
        graphs = {j.graph: _with(manifest.graphs[j.graph], j) for j in self.judgements}
        kept = [(j.graph, form) for j in self.judgements for form in j.kept]
        made = {_path(name, form): form.content for name, form in kept}
        made |= {golden_outputs_path(name, form.precision): _golden(form) for name, form in kept}
        gone = {name for graph, facts in manifest.graphs.items() for name in _own_files(graph, facts)} | {RECORD}
        files = {name: self.source.read(name) for name in manifest.files if name not in gone} | made
        files[RECORD] = self._record()
        provenance = {
            **manifest.provenance,
            "calibration": {k: self.facts[k] for k in ("corpus", "split", "recipe", "versions")},
        }
        return write_bundle(path, replace(manifest, graphs=graphs, provenance=provenance), files, exist_ok=exist_ok)

    def to_json(self, written: Bundle) -> dict[str, object]:
        """Return everything under the schema `mmer.calibrate/1`, with the bundle that `save` returned."""
        facts = {"path": str(written.path), "digest": written.digest, "bytes": _bytes(written)}
        return {"schema": SCHEMA, "bundle": facts, **self._document()}

    def lines(self, written: Bundle) -> Iterator[str]:
        """Yield the same as lines of plain text."""
        yield (
            f"{written.path}: {written.manifest.name}, digest {written.short}, {_bytes(written) / 1e6:.1f} MB "
            f"(before {_bytes(self.source) / 1e6:.1f} MB)"
        )
        yield f"{'graph':<16} {'runs as':<10} {'cosine':>7} {'speed':>8} {'MB':>14}  why"
        yield from map(_line, self.judgements)
        halves = [j for j in self.judgements if any(form.precision == HALF for form in j.kept)]
        yield f"{HALF} as a fall-back for size: {', '.join(j.graph for j in halves) or 'none'}"
        for title, found in (("as it will run", self.chosen), ("all INT8", self.quantised)):
            yield (
                f"{title}: {found.same_label:.1%} of {found.windows} judging windows keep the label of float; logits "
                f"are off by {found.mean_error:.2g} on average, {found.worst_error:.2g} at most"
            )

    def _record(self) -> bytes:
        ranges = {
            j.graph: {name: [seen.low, seen.high] for name, seen in j.int8.ranges.items()}
            for j in self.judgements
            if j.int8
        }
        document = {"schema": RECORD_SCHEMA, **self._document(), "ranges": ranges}
        return json.dumps(document, indent=1, sort_keys=True, allow_nan=False).encode()

    def _document(self) -> dict[str, object]:
        return {
            "rows": [_row(judgement) for judgement in self.judgements],
            "agreement": {"chosen": asdict(self.chosen), "quantised": asdict(self.quantised)},
            **self.facts,
        }


def _own_files(name: str, graph: Graph) -> Iterator[str]:
    """Yield what an earlier calibration wrote of a graph."""
    for precision, variant in graph.files.items():
        if precision.split(".")[0] in _OWN:
            yield from (variant.path, golden_outputs_path(name, precision))


def _golden(form: Form) -> bytes:
    return golden.encode([golden.Case({}, case.outputs) for case in form.golden])


def _with(graph: Graph, judgement: Judgement) -> Graph:
    """Return a graph with the forms that are kept in place of those of an earlier calibration."""
    others = {name: variant for name, variant in graph.files.items() if name.split(".")[0] not in _OWN}
    new = {form.precision: Variant(_path(judgement.graph, form), form.tolerance) for form in judgement.kept}
    return replace(graph, files={**others, **new})


def _bytes(bundle: Bundle) -> int:
    return sum(content.size for content in bundle.manifest.files.values())


def _path(graph: str, form: Form) -> str:
    return f"graphs/{graph}.{form.precision}.onnx"


def _row(judgement: Judgement) -> dict[str, object]:
    return {
        "graph": judgement.graph,
        "precision": judgement.precision,
        "reason": judgement.reason,
        "float_bytes": judgement.size,
        "int8": None if judgement.int8 is None else _form(judgement.int8),
        "fp16": None if judgement.half is None else _form(judgement.half),
    }


def _form(form: Form) -> dict[str, object]:
    found = form.check
    return {
        "precision": form.precision,
        "kept": form.fault is None,
        "reason": form.fault,
        "layers": form.layers or "all",
        "improvements": list(form.improvements),
        "bytes": len(form.content),
        "cosine": found.cosine,
        "levels_cosine": found.levels,
        "worst_error": found.error if math.isfinite(found.error) else None,
        "race": form.race and asdict(form.race),
        "golden_tolerance": form.tolerance,
    }


def _line(judgement: Judgement) -> str:
    int8 = judgement.int8
    cosine = f"{int8.check.cosine:.4f}" if int8 else "-"
    speed = f"{int8.race.speed:.2f} x" if int8 and int8.race else "-"
    size = f"{judgement.size / 1e6:.1f}" + (f" -> {len(int8.content) / 1e6:.1f}" if int8 else "")
    return f"{judgement.graph:<16} {judgement.precision:<10} {cosine:>7} {speed:>8} {size:>14}  {judgement.reason}"
