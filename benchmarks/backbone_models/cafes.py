"""The graphs of `cafes` at its published size, fed by their own plan from raw clips."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import onnx
from backbone_models.zoo import CNN, TRANSFORMER
from rivals.model import checkpoint, corpus

from mmer.calibration.samples.recording import record
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.bundle.plan import LOGITS
from mmer.edge.tensors import Tensors
from mmer.export.writer import export_checkpoint


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One graph and what it was given."""

    name: str
    content: bytes
    least: float
    calibration: Sequence[Tensors]
    fresh: Sequence[Tensors]


def parts(pack: Path, settings: CalibrationSettings) -> Iterator[Part]:
    """Yield every graph but the one that makes the logits, which stays float in a bundle."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = export_checkpoint(checkpoint(), Path(folder) / "float").bundle
        recorded = record(bundle, corpus(pack), Path(folder) / "windows", settings, _said)
        for name, facts in bundle.manifest.graphs.items():
            if all(spec.name != LOGITS for spec in facts.outputs):
                content = bundle.graph(name, "fp32")
                calibration = list(islice(recorded.calibration.inputs(name), settings.samples))
                fresh = list(islice(recorded.fresh.inputs(name), settings.fresh))
                yield Part(f"cafes {name}", content, _least(content), calibration, fresh)


def _least(content: bytes) -> float:
    convolves = any(node.op_type == "Conv" for node in onnx.load_from_string(content).graph.node)
    return CNN if convolves else TRANSFORMER


def _said(title: str, done: int, of: int) -> None:
    if done == of:
        sys.stderr.write(f"{title}: {done}\n")
