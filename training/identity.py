"""What makes two trainings the same one, so that one may go on where the other was interrupted."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from mmer.training.checkpoint import Checkpoint, versions
from mmer.training.fitsettings import FitSettings
from mmer.training.loop import Leg
from mmer.training.samples import Sample
from mmer.training.start import weights_digest


def identity(checkpoint: Checkpoint, legs: Sequence[Leg]) -> dict[str, object]:
    """Return everything that the weights at the end depend on, but the machine; `checkpoint` is still untrained."""
    facts = checkpoint.facts
    return {
        "model": facts.model,
        "preset": facts.preset,
        "labels": list(facts.labels),
        "stages": {leg.name: {"settings": _decisive(leg.settings), "trains": list(leg.trains)} for leg in legs},
        "sizes": asdict(facts.settings),
        "inputs": asdict(facts.inputs),
        "clips": samples_digest(sample for leg in legs for sample in (*leg.data.train, *leg.data.val)),
        "starting weights": weights_digest(checkpoint.model),
        "tokenizer": hashlib.sha256(checkpoint.tokenizer.encode()).hexdigest(),
        "versions": versions(),
    }


def _decisive(settings: FitSettings) -> dict[str, object]:
    """Return the settings without what changes no weight, which may be other when a training goes on."""
    return {**asdict(settings), "compute": settings.compute.precision}


def samples_digest(samples: Iterable[Sample]) -> str:
    """Return the sha256 of what samples show and say, their labels and splits, in their order."""
    digest = hashlib.sha256()
    for sample in samples:
        recording = sample.recording
        span = recording.start_s, recording.end_s, recording.crops.shape, recording.sound.shape
        digest.update(repr((sample.text, sample.label, sample.split, span)).encode())
        for array in (recording.crop_times_s, recording.crops, recording.sound):
            digest.update(array.tobytes())
    return digest.hexdigest()
