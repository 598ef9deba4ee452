"""One model for every contestant: random weights of the published sizes, as a checkpoint and as a bundle."""

import tempfile
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import torch
from rivals.sentences import CAPTIONS, OTHERS

from mmer.calibration.calibrate import calibrate
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.golden import replay
from mmer.edge.corpus import Corpus
from mmer.export.cases import windows
from mmer.export.enliven import enliven
from mmer.export.subgraphs import TorchSession
from mmer.export.systems import SPLITS
from mmer.export.writer import export_checkpoint
from mmer.training.checkpoint import Checkpoint, Facts
from mmer.training.recording import Inputs
from mmer.training.tokenizer import train_tokenizer
from mmer.training.zoo import ZOO

SYSTEM, PRESET = "cafes", "published"
LABELS = ("neutral", "happy", "sad", "anger")
CALIBRATION = CalibrationSettings(samples=96, fresh=32)
_CLOSE = 1e-3
"""Of the range of a golden output; other weights give something else altogether."""


def checkpoint() -> Checkpoint:
    """Return the model; the same in every run."""
    torch.manual_seed(0)
    entry, inputs = ZOO[SYSTEM], Inputs()
    settings = entry.presets[PRESET]
    fresh = entry.build(settings, None)
    model = enliven(fresh, windows(SPLITS[SYSTEM](fresh, inputs), inputs), inputs.video.size)
    facts = Facts(SYSTEM, PRESET, settings, LABELS, inputs)
    return Checkpoint(facts, model, train_tokenizer([*CAPTIONS, *OTHERS]))


def make_bundle(source: Checkpoint, path: Path, pack: Path, int8_cosine: float) -> Bundle:
    """Export and calibrate, INT8 graphs of this centred cosine or more being kept; minutes."""
    clips = corpus(pack)
    with tempfile.TemporaryDirectory(prefix="mmer-") as folder:
        exported = export_checkpoint(source, Path(folder) / "float")
        return calibrate(exported.bundle, clips, replace(CALIBRATION, int8_cosine=int8_cosine)).save(path)


def require_same(source: Checkpoint, bundle: Bundle) -> None:
    """Stop unless the bundle's golden values are what the model computes."""
    for graph in SPLITS[SYSTEM](source.model, source.facts.inputs).subgraphs:
        if replay(TorchSession(graph), bundle.golden(graph.name)).value > _CLOSE:
            raise SystemExit(f"{bundle.path} holds other weights than the rivals have; name another path or none")


def corpus(pack: Path) -> Corpus:
    """Return acted clips with face and voice, each with English words to read."""
    clips = Corpus.read([pack / "clips.csv"]).where([("set", "java_sed_av")])
    words = cycle(OTHERS)
    return Corpus(tuple(replace(entry, transcript=next(words)) for entry in clips.entries))
