"""What makes two trainings the same one, so that one may go on where the other was interrupted."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict

from mmer.training.checkpoint import Checkpoint, versions
from mmer.training.fitsettings import FitSettings
from mmer.training.samples import Sample
from mmer.training.start import weights_digest


def identity(checkpoint: Checkpoint, fit: FitSettings, samples: Iterable[Sample]) -> dict[str, object]:
    """Return everything that the weights at the end depend on, but the machine; `checkpoint` is still untrained."""
    facts = checkpoint.facts
    return {
        "model": facts.model,
        "preset": facts.preset,
        "labels": list(facts.labels),
        "settings": asdict(fit),
        "sizes": asdict(facts.settings),
        "inputs": asdict(facts.inputs),
        "clips": samples_digest(samples),
        "starting weights": weights_digest(checkpoint.model),
        "tokenizer": hashlib.sha256(checkpoint.tokenizer.encode()).hexdigest(),
        "versions": versions(),
    }


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
