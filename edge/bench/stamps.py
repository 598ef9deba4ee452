"""What takes the value out of a figure, in words that stand beside it."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from mmer.edge.leaks import Spoken, leaking

LEAKY, CHOSEN, CALIBRATED = "LEAKY", "CHOSEN ON THIS SPLIT", "CALIBRATED ON THIS SPLIT"


def stamps(
    clips: Sequence[Spoken], split: str, provenance: Mapping[str, object], digests: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the stamps of figures on a split of a corpus, of which `clips` are all.

    `LEAKY`: a speaker stands in two splits, the index says that they may (also that of the training), or the model was
    trained on one of those judged, or on the split.
    `CHOSEN ON THIS SPLIT`: the epoch was chosen by these clips or speakers, so that the figures flatter.
    `CALIBRATED ON THIS SPLIT`: its clips decided which graphs and layers are quantised, and how.
    `digests` are those of the corpus, whole or as it was selected; a training may have met several.
    """
    judged = {clip.speaker for clip in clips if clip.split == split}
    same = not _corpora(provenance).isdisjoint(digests)
    leaky = (
        stamped(clips, provenance)
        or leaking(clips)
        or _speakers(provenance, "train") & judged
        or (same and split == "train")
    )
    flattered = _speakers(provenance, "val") & judged or (same and split == "val")
    ranged = _calibrated_on(provenance.get("calibration"), split, digests)
    return tuple(stamp for stamp, due in ((LEAKY, leaky), (CHOSEN, flattered), (CALIBRATED, ranged)) if due)


def stamped(clips: Iterable[Spoken], provenance: Mapping[str, object] = MappingProxyType({})) -> bool:
    """Tell whether an index, or the record of a training, carries the stamp `LEAKY` already."""
    kept = provenance.get("stamps")
    return (isinstance(kept, list) and LEAKY in kept) or any(clip.stamp == LEAKY for clip in clips)


def names_speakers(provenance: Mapping[str, object]) -> bool:
    """Tell whether it says who the model was trained on: a checkpoint names them, a bundle only counts them."""
    return bool(_speakers(provenance, "train"))


def _calibrated_on(facts: object, split: str, digests: Sequence[str]) -> bool:
    return isinstance(facts, dict) and facts.get("corpus") in digests and facts.get("split") == split


def _corpora(provenance: Mapping[str, object]) -> set[object]:
    met = provenance.get("corpora")
    return {provenance.get("corpus"), *(met if isinstance(met, list) else ())}


def _speakers(provenance: Mapping[str, object], split: str) -> set[str]:
    speakers = provenance.get("speakers")
    names = speakers.get(split) if isinstance(speakers, dict) else None
    return {str(name) for name in names if name} if isinstance(names, list) else set()
