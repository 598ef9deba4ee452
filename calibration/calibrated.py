"""What calibration decided: for people, for programs, and as a bundle."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mmer.calibration.judgement.agreement import Agreement
from mmer.calibration.judgement.judge import HALF, Form, Judgement
from mmer.calibration.observation.reuse import RECORD
from mmer.calibration.observation.reuse import SCHEMA as RECORD_SCHEMA
from mmer.calibration.samples.suspicion import Suspicion
from mmer.edge.bundle import golden
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.graph import Graph, Variant
from mmer.edge.bundle.paths import VERIFICATION, golden_outputs_path
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.verify.record import METRIC

SCHEMA = "mmer.calibrate/1"

HEADER = f"{'graph':<16} {'runs as':<13} {'cosine':>7} {'speed':>8} {'MB':>14}  why"

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
    seen: Mapping[str, object] = field(default_factory=dict)
    """The statistics of every graph, and the digest of the float file that they are of."""
    warnings: tuple[Suspicion, ...] = ()
    """What takes worth out of it."""

    def save(self, path: Path, *, exist_ok: bool = False) -> Bundle:
        """Write the bundle with the forms that are kept; raise `OutputExistsError` as `write_bundle` does."""
        manifest = self.source.manifest
        graphs = {j.graph: _with(manifest.graphs[j.graph], j) for j in self.judgements}
        kept = [(j.graph, form) for j in self.judgements for form in j.kept]
        made = {_path(name, form): form.content for name, form in kept}
        made |= {golden_outputs_path(name, form.precision): _golden(form) for name, form in kept}
        gone = {name for graph, facts in manifest.graphs.items() for name in _own_files(graph, facts)}
        gone |= {RECORD, VERIFICATION}  # what was verified were the forms of before
        files = {name: self.source.read(name) for name in manifest.files if name not in gone} | made
        files[RECORD] = self._record()
        provenance = {
            **manifest.provenance,
            "calibration": {k: self.facts[k] for k in ("corpus", "split", "recipes", "versions")},
        }
        metrics = {name: value for name, value in manifest.metrics.items() if name != METRIC}
        whole = replace(manifest, graphs=graphs, metrics=metrics, provenance=provenance)
        return write_bundle(path, whole, files, exist_ok=exist_ok)

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
        yield HEADER
        for judgement in self.judgements:
            yield from graph_lines(judgement)
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
        document = {"schema": RECORD_SCHEMA, **self._document(), "ranges": ranges, "statistics": self.seen}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    def _document(self) -> dict[str, object]:
        return {
            "rows": [graph_row(judgement) for judgement in self.judgements],
            "agreement": {"chosen": asdict(self.chosen), "quantised": asdict(self.quantised)},
            "warnings": [asdict(suspicion) for suspicion in self.warnings],
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


def graph_row(judgement: Judgement) -> dict[str, object]:
    """Return the judgement on one graph for programs."""
    return {
        "graph": judgement.graph,
        "precision": judgement.precision,
        "reason": judgement.reason,
        "float_bytes": judgement.size,
        "int8": None if judgement.int8 is None else _form(judgement.int8),
        "others": [_form(form) for form in judgement.others],
        "fp16": None if judgement.half is None else _form(judgement.half),
    }


def _form(form: Form) -> dict[str, object]:
    found = form.check
    return {
        "precision": form.precision,
        "kept": form.fault is None,
        "reason": form.reason,
        "layers": form.layers or "all",
        "improvements": list(form.improvements),
        "bytes": len(form.content),
        "cosine": found.cosine,
        "levels_cosine": found.levels,
        "worst_error": found.error if math.isfinite(found.error) else None,
        "race": form.race and asdict(form.race),
        "golden_tolerance": form.tolerance,
    }


def graph_lines(judgement: Judgement) -> Iterator[str]:
    """Yield the judgement on one graph as lines under `HEADER`, one for each of its INT8 forms."""
    int8 = judgement.int8
    size = f"{judgement.size / 1e6:.1f}" + (f" -> {len(int8.content) / 1e6:.1f}" if int8 else "")
    yield f"{judgement.graph:<16} {judgement.precision:<13} {_figures(int8)} {size:>14}  {judgement.reason}"
    yield from map(_other_line, judgement.others)


def _other_line(form: Form) -> str:
    kept = "  kept" if form.fault is None else "  dropped"
    size = f"{len(form.content) / 1e6:.1f}"
    return f"{kept:<16} {form.precision:<13} {_figures(form)} {size:>14}  {form.reason}"


def _figures(form: Form | None) -> str:
    cosine = f"{form.check.cosine:.4f}" if form else "-"
    speed = f"{form.race.speed:.2f} x" if form and form.race else "-"
    return f"{cosine:>7} {speed:>8}"
