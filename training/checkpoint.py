"""A trained model on disk: weights, what they mean and the tokenizer; nothing in it is executable or pickled."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from mmer.edge.errors import BundleError, SettingError
from mmer.edge.files import atomic_folder, refuse_existing
from mmer.edge.inputs.audio import AudioInput
from mmer.edge.inputs.constants import from_json, to_json
from mmer.edge.inputs.text import TextInput
from mmer.edge.inputs.video import VideoInput
from mmer.edge.models import CHECKPOINT
from mmer.training.cafes import CafesSettings
from mmer.training.collate import Reader
from mmer.training.model import EmotionModel
from mmer.training.recording import Inputs
from mmer.training.settings import restored
from mmer.training.tokenizer import tokeniser
from mmer.training.zoo import ZOO

SCHEMA = "mmer.checkpoint/1"
FACTS, WEIGHTS, TOKENIZER = CHECKPOINT, "model.safetensors", "tokenizer.json"


class CheckpointError(BundleError):
    """A checkpoint is incomplete, corrupt or of an unknown version."""

    def __init__(self, path: Path, reason: str) -> None:
        super(BundleError, self).__init__(f"{path}: not a usable checkpoint ({reason}); train it again")


@dataclass(frozen=True, slots=True)
class Facts:
    """What `checkpoint.json` says beside the format and the digests."""

    model: str
    """Its name in `ZOO`."""
    preset: str
    settings: CafesSettings
    labels: tuple[str, ...]
    inputs: Inputs = field(default_factory=Inputs)
    metrics: Mapping[str, object] = field(default_factory=dict)
    """With the protocol that they were measured by."""
    provenance: Mapping[str, object] = field(default_factory=dict)
    """Corpus digest, seed, settings of the training and versions."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to answer."""

    facts: Facts
    model: EmotionModel
    tokenizer: str
    """The text of a `tokenizer.json`."""

    @classmethod
    def open(cls, path: Path) -> "Checkpoint":
        """Read a checkpoint; raise `CheckpointError` unless every key, name and shape is as it must be."""
        document = _document(path)
        files = {name: _content(path / name, document["files"]) for name in (WEIGHTS, TOKENIZER)}
        facts = _facts(path, document)
        model = ZOO[facts.model].build(facts.settings, None)
        _fill(model, files[WEIGHTS], path)
        return cls(facts, model.eval(), files[TOKENIZER].decode())

    def save(self, path: Path, *, exist_ok: bool = False) -> None:
        """Write the folder, whole or not at all; what is there is replaced only if it is a checkpoint."""
        refuse_existing(path, exist_ok=exist_ok)
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        files = {WEIGHTS: save(state), TOKENIZER: self.tokenizer.encode()}
        with atomic_folder(path, marker=FACTS) as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            document = json.dumps(self._document(files), indent=1, ensure_ascii=False, allow_nan=False)
            (folder / FACTS).write_text(document + "\n", encoding="utf-8")

    def reader(self) -> Reader:
        """Return the way in which the model looks at samples."""
        return Reader(self.facts.inputs, tokeniser(self.tokenizer, self.facts.inputs.text))

    def _document(self, files: Mapping[str, bytes]) -> dict[str, object]:
        facts, inputs = self.facts, self.facts.inputs
        return {
            "schema": SCHEMA,
            "model": facts.model,
            "preset": facts.preset,
            "settings": asdict(facts.settings),
            "labels": list(facts.labels),
            "inputs": {"video": to_json(inputs.video), "audio": to_json(inputs.audio), "text": to_json(inputs.text)},
            "metrics": dict(facts.metrics),
            "provenance": dict(facts.provenance),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }


def versions() -> dict[str, str]:
    """Return what a result may depend on."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _DECISIVE}


_DECISIVE = ("mmer", "torch", "transformers", "scikit-learn", "numpy")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror}") from error


def _document(path: Path) -> dict[str, object]:
    try:
        document = json.loads(_read(path / FACTS))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(path / FACTS, f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CheckpointError(path / FACTS, f"its schema is not {SCHEMA}, the only one this version of mmer reads")
    if document.keys() != _KEYS:
        raise CheckpointError(path / FACTS, f"has {', '.join(sorted(document))}; needed: {', '.join(sorted(_KEYS))}")
    return document


_KEYS = {"schema", "model", "preset", "settings", "labels", "inputs", "metrics", "provenance", "files"}


def _content(path: Path, digests: object) -> bytes:
    content = _read(path)
    if not isinstance(digests, dict) or hashlib.sha256(content).hexdigest() != digests.get(path.name):
        raise CheckpointError(path, "its bytes are not those that checkpoint.json names")
    return content


def _facts(path: Path, document: Mapping[str, object]) -> Facts:
    place, labels, inputs = path / FACTS, document["labels"], document["inputs"]
    model, preset, metrics, provenance = (document[name] for name in ("model", "preset", "metrics", "provenance"))
    if not isinstance(model, str) or model not in ZOO:
        raise CheckpointError(place, f"model is {model!r:.80}, not one of {', '.join(ZOO)}")
    if not isinstance(preset, str) or preset not in ZOO[model].presets:
        raise CheckpointError(place, f"preset is {preset!r:.80}, not one of {', '.join(ZOO[model].presets)}")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise CheckpointError(place, f"labels are {labels!r:.80}, not a list of names")
    if not isinstance(inputs, dict) or inputs.keys() != {"video", "audio", "text"}:
        raise CheckpointError(place, "inputs are not those of video, audio and text")
    if not isinstance(metrics, dict) or not isinstance(provenance, dict):
        raise CheckpointError(place, "metrics and provenance are not objects")
    try:
        settings = restored(ZOO[model].presets[preset], document["settings"])
    except SettingError as error:
        raise CheckpointError(place, str(error)) from error
    if settings.classes != len(labels):
        raise CheckpointError(place, f"{len(labels)} labels for {settings.classes} classes")
    read = Inputs(
        from_json(VideoInput, inputs["video"], place),
        from_json(AudioInput, inputs["audio"], place),
        from_json(TextInput, inputs["text"], place),
    )
    return Facts(model, preset, settings, tuple(labels), read, metrics, provenance)


def _fill(model: EmotionModel, content: bytes, path: Path) -> None:
    """Load the weights; every tensor must be there, with its shape, and no other."""
    try:
        state = load(content)
    except SafetensorError as error:
        raise CheckpointError(path / WEIGHTS, f"not safetensors: {error}") from error
    wanted = model.state_dict()
    if odd := sorted(state.keys() ^ wanted.keys()):
        where = "lacks" if odd[0] in wanted else "has besides"
        raise CheckpointError(path / WEIGHTS, f"it {where} {odd[0]}, and {len(odd) - 1} more differ")
    for name, tensor in wanted.items():
        if (found := state[name]).shape != tensor.shape or found.dtype != tensor.dtype:
            raise CheckpointError(
                path / WEIGHTS, f"{name} is {found.dtype} {[*found.shape]}, not {tensor.dtype} {[*tensor.shape]}"
            )
    model.load_state_dict(state)
