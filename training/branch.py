"""One branch trained by itself: the clips that have its modality, with nothing else in them."""

from collections.abc import Sequence
from dataclasses import replace

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among
from mmer.training.batch import MODALITIES
from mmer.training.samples import Sample, present

WHOLE = "all"


def branch(samples: Sequence[Sample], modality: str) -> list[Sample]:
    """Return the samples as one branch gets them, or as they are for `all`; raise `SettingError` when none has it."""
    among("modality", modality, (WHOLE, *MODALITIES))
    if modality == WHOLE:
        return list(samples)
    place = MODALITIES.index(modality)
    found = [_only(sample, modality) for sample in samples if present(sample)[place]]
    if not found:
        raise SettingError(f"none of {len(samples)} clips has {modality}; name another modality or other clips")
    return found


def _only(sample: Sample, modality: str) -> Sample:
    recording = sample.recording
    if modality != "video":
        recording = replace(recording, crops=recording.crops[:0], crop_times_s=recording.crop_times_s[:0])
    if modality != "audio":
        recording = replace(recording, sound=recording.sound[:0])
    return replace(sample, recording=recording, text=sample.text if modality == "text" else "")
