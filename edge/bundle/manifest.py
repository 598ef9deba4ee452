"""What a bundle says about itself: everything that is needed to run it, the digest of every file, no code.

The promise: a release that reads `mmer.bundle/1` reads every bundle of that version, whichever release wrote it, and
refuses any other version by its name, with exit code 8, rather than guess. A key that is added, dropped or changed in
meaning makes the next version, which keeps the names and the form of the manifest and its seal, so that it can be told
from damage. What is free to grow within a version lies under `metrics` and `provenance`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

from mmer.edge.bundle.digest import canonical, digest
from mmer.edge.bundle.document import Value
from mmer.edge.bundle.graph import Graph
from mmer.edge.bundle.notice import NOTICE, notice_in
from mmer.edge.bundle.paths import MOST_BYTES, TOKENIZER, check_paths, check_sizes, golden_path
from mmer.edge.bundle.plan import LOGITS, NAME, WEIGHED, WEIGHTS, Plan, Stage
from mmer.edge.errors import BundleError
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.constants import from_json, to_json
from mmer.edge.inputs.text import TextInput
from mmer.edge.inputs.video import VideoInput

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA = "mmer.bundle/1"

Task: TypeAlias = Literal["multiclass", "multilabel"]
TASKS: tuple[Task, ...] = get_args(Task)

_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LABEL = re.compile(r"[a-z][a-z0-9_ -]{0,63}")
_FACT = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"mmer\.bundle/\d{1,9}")

C = TypeVar("C", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Head:
    """How logits become an answer."""

    labels: tuple[str, ...]
    task: Task = "multiclass"
    temperature: float = 1.0
    """What logits are divided by."""
    thresholds: tuple[float, ...] | None = None
    """One for each label, of a `multilabel` task only."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The constants of preprocessing; `None` for a modality that the model does not have."""

    video: VideoInput | None = None
    audio: AudioInput | None = None
    text: TextInput | None = None

    def to_json(self) -> dict[str, dict[str, object] | None]:
        """Return the constants by modality."""
        parts = {"video": self.video, "audio": self.audio, "text": self.text}
        return {name: to_json(part) if part else None for name, part in parts.items()}


@dataclass(frozen=True, slots=True)
class Content:
    """What a listed file must be."""

    sha256: str
    size: int
    """In bytes."""

    @classmethod
    def of(cls, content: bytes) -> "Content":
        """Measure a file."""
        return cls(digest(content), len(content))


@dataclass(frozen=True, slots=True)
class Manifest:
    """All facts about a bundle."""

    name: str
    system: str
    preset: str
    head: Head
    inputs: Inputs
    plan: Plan
    graphs: Mapping[str, Graph]
    metrics: Mapping[str, object] = field(default_factory=dict)
    """Free JSON: results with their protocol, and the notice, if there is one."""
    provenance: Mapping[str, object] = field(default_factory=dict)
    """Free JSON: corpus digest, seeds, versions."""
    files: Mapping[str, Content] = field(default_factory=dict)
    """Every file beside the manifest and its seal, by path; the writer fills it in."""

    @property
    def notice(self) -> str | None:
        """What every answer has to say about the model."""
        return notice_in(self.metrics)

    def encoded(self) -> bytes:
        """Return the manifest as it lies on the disk."""
        return canonical(self.to_json())

    def to_json(self) -> dict[str, object]:
        """Return the manifest as JSON."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "system": self.system,
            "preset": self.preset,
            "head": asdict(self.head),
            "inputs": self.inputs.to_json(),
            "plan": self.plan.to_json(),
            "graphs": {name: graph.to_json() for name, graph in self.graphs.items()},
            "metrics": self.metrics,
            "provenance": self.provenance,
            "files": {name: {"sha256": c.sha256, "bytes": c.size} for name, c in self.files.items()},
        }

    @classmethod
    def decoded(cls, content: bytes, path: str | os.PathLike[str]) -> "Manifest":
        """Return the manifest that `encoded` wrote; raise `BundleError`, naming `path`, for anything else."""
        value = Value.parsed(content, path)
        _check_version(value)
        parts = value.members(*_KEYS)
        manifest = cls(
            name=parts["name"].text(_TITLE),
            system=parts["system"].text(_TITLE),
            preset=parts["preset"].text(_TITLE),
            head=_head(parts["head"]),
            inputs=_inputs(parts["inputs"]),
            plan=Plan.from_json(parts["plan"]),
            graphs={name: Graph.from_json(graph) for name, graph in parts["graphs"].entries(NAME).items()},
            metrics=_free(parts["metrics"]),
            provenance=_free(parts["provenance"]),
            files={name: _content(content) for name, content in parts["files"].entries().items()},
        )
        manifest.check(path)
        return manifest

    def check(self, path: str | os.PathLike[str]) -> None:
        """Raise `BundleError`, naming `path`, unless the parts fit each other."""
        check_paths(self.files, path)
        check_sizes({name: content.size for name, content in self.files.items()}, path)
        if problem := next(self._problems(), None):
            raise BundleError(path, problem)

    def _problems(self) -> Iterator[str]:
        """Yield what keeps the parts from working together."""
        for stage in self.plan.stages:
            if stage.graph in self.graphs:
                yield from self._misfits(stage, self.graphs[stage.graph])
            else:
                yield f"stage {stage.name} runs the graph {stage.graph}, which is not there"
        yield from (f"the graph {name} has no file" for name, graph in self.graphs.items() if not graph.files)
        inputs = self.inputs.to_json()
        blind = [modality for modality in self.plan.modalities if not inputs.get(modality)]
        yield from (f"the plan looks at {modality}, for which there are no inputs" for modality in blind)
        yield from (f"{name} is not listed" for name in self._needed() if name not in self.files)
        if NOTICE in self.metrics and self.notice is None:
            yield "its notice is not one printable line"

    def _misfits(self, stage: Stage, graph: Graph) -> Iterator[str]:
        """Yield what keeps a stage from running its graph."""
        for names, specs in ((stage.inputs, graph.inputs), (stage.outputs, graph.outputs)):
            if sorted(names) != sorted(spec.name for spec in specs):
                yield f"stage {stage.name} and its graph {stage.graph} have other tensors"
        widths = {LOGITS: len(self.head.labels), WEIGHTS: len(WEIGHED)}
        for spec in graph.outputs:
            if spec.name in widths and spec.shape != (1, widths[spec.name]):
                yield f"graph {stage.graph} gives {spec.name} of {list(spec.shape)}, not [1, {widths[spec.name]}]"

    def _needed(self) -> Iterator[str]:
        """Yield the files without which the bundle cannot run."""
        for name, graph in self.graphs.items():
            yield golden_path(name)
            yield from (variant.path for variant in graph.files.values())
        if self.inputs.text:
            yield TOKENIZER


_KEYS = ("schema", "name", "system", "preset", "head", "inputs", "plan", "graphs", "metrics", "provenance", "files")


def _check_version(value: Value) -> None:
    schema = value.data.get("schema") if isinstance(value.data, dict) else None
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and _VERSION.fullmatch(schema):
        raise value.refused(f"its format is {schema}, this version of mmer reads {SCHEMA}; install one that reads it")
    raise value.refused(f"its schema is {schema!r:.80}, not {SCHEMA}")


def _head(value: Value) -> Head:
    parts = value.members("labels", "task", "temperature", "thresholds")
    head = Head(
        parts["labels"].texts(_LABEL),
        parts["task"].among(TASKS),
        parts["temperature"].real(1e-3, 1e3),
        _thresholds(parts["thresholds"]),
    )
    if len(set(head.labels)) < max(len(head.labels), 1):
        raise value.refused("there are no labels, or one twice")
    if len(head.thresholds or ()) != (len(head.labels) if head.task == "multilabel" else 0):
        raise value.refused(f"thresholds do not fit the task {head.task} and {len(head.labels)} labels")
    return head


def _thresholds(value: Value) -> tuple[float, ...] | None:
    return None if value.data is None else tuple(element.real(0.0, 1.0) for element in value.elements())


def _inputs(value: Value) -> Inputs:
    parts = value.members("video", "audio", "text")
    return Inputs(
        _constants(VideoInput, parts["video"]),
        _constants(AudioInput, parts["audio"]),
        _constants(TextInput, parts["text"]),
    )


def _constants(kind: type[C], value: Value) -> C | None:
    return None if value.data is None else from_json(kind, value.data, value.path)


def _free(value: Value) -> Mapping[str, object]:
    return {name: member.data for name, member in value.entries(_FACT).items()}


def _content(value: Value) -> Content:
    parts = value.members("sha256", "bytes")
    return Content(parts["sha256"].text(_SHA256), parts["bytes"].whole(0, MOST_BYTES))
