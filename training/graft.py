"""A model of branches that were trained by themselves, each on the clips that there are for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from mmer.edge.errors import SettingError
from mmer.training.batch import MODALITIES
from mmer.training.cafes import CafesSettings
from mmer.training.checkpoint import Checkpoint, Facts
from mmer.training.met import met
from mmer.training.model import EmotionModel
from mmer.training.recording import Inputs
from mmer.training.start import Start
from mmer.training.zoo import ZOO

Parts = Mapping[str, Start]
"""By modality."""


def grafted(parts: Parts, seed: int) -> Start:
    """Return a start with the branch of each modality from its own checkpoint, and the first one's in place of none.

    Until it is trained further every branch answers as it did alone, and where several are there the votes of their
    heads are averaged; text has two of the four. The labels are those of the first, and a branch has no vote for one
    that it does not know. Raises `SettingError` for parts that do not fit together.
    """
    first = next(iter(parts.values()))
    labels = first.checkpoint.facts.labels
    fitting = {modality: part.adapted(labels, seed) for modality, part in _all(parts).items()}
    facts = _facts(fitting, first.checkpoint.facts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ZOO[facts.model].build(facts.settings, None)
    for modality, part in _all(parts).items():
        model.adopt(modality, _modest(fitting[modality], part.labels_kept(labels)))
    model.part()
    facts = replace(facts, provenance=_provenance(parts, labels))
    name = " ".join(f"{modality}={part.name}" for modality, part in parts.items())
    return Start(name, Checkpoint(facts, model.eval(), fitting["text"].tokenizer))


def begun(given: Sequence[str], seed: int) -> Start:
    """Return what to train on from: one checkpoint, or branches of several, each given as `MODALITY=CHECKPOINT`."""
    if len(given) == 1 and Path(given[0]).exists():
        return Start.open(Path(given[0]))
    named = [one.partition("=") for one in given]
    if len(given) == 1 and not named[0][1]:
        return Start.open(Path(given[0]))
    for one, (modality, equals, _) in zip(given, named, strict=True):
        if not equals or modality not in MODALITIES:
            raise SettingError(
                f"--from {one}: of several, each is MODALITY=CHECKPOINT with one of {', '.join(MODALITIES)}"
            )
    parts = {modality: Path(path) for modality, _, path in named}
    if len(parts) < len(given):
        raise SettingError(f"--from names a branch twice: {' '.join(given)}")
    return grafted({modality: Start.open(path) for modality, path in parts.items()}, seed)


def _all(parts: Parts) -> Parts:
    first = next(iter(parts.values()))
    return {modality: parts.get(modality, first) for modality in MODALITIES}


def _modest(part: Checkpoint, known: Sequence[str]) -> EmotionModel:
    """Return the model of a part, its heads without a vote for labels that are not known."""
    new = [place for place, label in enumerate(part.facts.labels) if label not in known]
    for name, rows in part.model.state_dict().items():
        if name.startswith(part.model.heads):
            rows[new] = 0.0
    return part.model


def _facts(parts: Mapping[str, Checkpoint], first: Facts) -> Facts:
    """Return the facts of the whole, the settings and inputs of each branch from its own part."""
    found = {modality: part.facts for modality, part in parts.items()}
    settings = replace(first.settings, **{modality: getattr(of.settings, modality) for modality, of in found.items()})
    inputs = Inputs(**{modality: getattr(of.inputs, modality) for modality, of in found.items()})
    for modality, facts in found.items():
        blind = modality == "audio" and _seen(facts.settings) != _seen(found["video"].settings)
        if facts.model != first.model or _common(facts.settings) != _common(settings) or blind:
            raise SettingError(
                f"the {modality} branch is of another model or of other widths than the fusion has; train it anew"
            )
    return replace(first, settings=settings, inputs=inputs, metrics={})


def _common(settings: CafesSettings) -> tuple[object, ...]:
    """Return what the branches have to share."""
    return settings.fusion_width, settings.fusion_heads, settings.confidence, settings.components


def _seen(settings: CafesSettings) -> tuple[int, int]:
    """Return the widths of video and audio, which look at each other."""
    return settings.video.projection[-1], settings.audio.width


def _provenance(parts: Parts, labels: tuple[str, ...]) -> dict[str, object]:
    """Return what the parts were made of; whoever one of them has met is no stranger."""
    before = {modality: part.checkpoint.facts.provenance for modality, part in parts.items()}
    made_of = {
        modality: {**before[modality], **part.identity(), "labels_kept": part.labels_kept(labels)}
        for modality, part in parts.items()
    }
    return {**met(before.values()), "parts": made_of}
