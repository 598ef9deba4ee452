"""From a corpus to what training and evaluation read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.ort import OrtSettings
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import CorpusError, DataError
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.labels import LABELS
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.sources import PICTURE_SUFFIXES
from mmer.training.cache import RecordingCache
from mmer.training.difficulty import difficulty
from mmer.training.recording import Inputs, Recorder, Recording
from mmer.training.waveform import MIN_SAMPLES


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One labelled clip in memory."""

    recording: Recording
    text: str
    """Empty when nothing is known to be said."""
    label: int
    """Index into the model's labels."""
    speaker: str
    split: str
    name: str
    """The clip's file name, for reports; empty for words alone."""
    stamp: str = ""
    """As the index carries it."""
    index: str = ""
    """The index of a stage that it is kept for; empty for all that have none of their own."""
    difficulty: float | None = None
    """As `difficulty` finds it in the index."""
    beliefs: tuple[float, ...] = ()
    """What a teacher thinks of each of the model's labels; empty without one."""


def labels_of(corpus: Corpus) -> tuple[str, ...]:
    """Return the labels that occur, in the canonical order."""
    found = {entry.label for entry in corpus.entries}
    return tuple(label for label in LABELS if label in found)


def load_samples(
    corpus: Corpus,
    labels: Sequence[str],
    inputs: Inputs,
    progress: Callable[[int], None] = lambda _: None,
    cache: RecordingCache | None = None,
) -> tuple[Sample, ...]:
    """Return a sample for every entry, decoding only what the cache does not have; `progress` hears how many are done.

    Raises `CorpusError` for a clip that cannot be decoded, holds nothing, or has a label that is not among `labels`.
    """
    if strange := next((entry for entry in corpus.entries if entry.label not in labels), None):
        raise CorpusError(strange.path, f"its label {strange.label} is none of the model's ({', '.join(labels)})")
    samples = []
    for done, (entry, recording) in enumerate(_recordings(corpus, inputs, cache or RecordingCache.default()), start=1):
        sample = _sample(entry, recording, labels)
        if not any(present(sample)):
            raise CorpusError(entry.path, "holds no face, no sound and no words; take it out of the corpus")
        samples.append(sample)
        progress(done)
    return tuple(samples)


def _sample(entry: Entry, recording: Recording, labels: Sequence[str]) -> Sample:
    return Sample(
        recording,
        entry.transcript,
        labels.index(entry.label),
        entry.speaker,
        entry.split,
        entry.path.name,
        entry.stamp,
        difficulty=difficulty(entry),
    )


def present(sample: Sample) -> tuple[bool, bool, bool]:
    """Say which of video, audio and text there is."""
    recording = sample.recording
    return len(recording.crops) > 0, len(recording.sound) >= MIN_SAMPLES, bool(sample.text.strip())


def lengths(samples: Sequence[Sample]) -> NDArray[np.int64]:
    """Return by what batches are made of alike samples: how much is heard or, where nothing ever is, said."""
    sound = np.array([len(sample.recording.sound) for sample in samples], np.int64)
    return sound if sound.any() else np.array([len(sample.text) for sample in samples], np.int64)


def believed(samples: Sequence[Sample]) -> NDArray[np.float32] | None:
    """Return what a teacher thinks of the samples, `[N, K]`, or `None` where there was none."""
    beliefs = np.array([sample.beliefs for sample in samples], np.float32)
    return beliefs if beliefs.size else None


def _recordings(corpus: Corpus, inputs: Inputs, cache: RecordingCache) -> Iterator[tuple[Entry, Recording]]:
    """Yield every entry with its recording."""
    with IsolatedDecoder() as decoder:
        recorder = Recorder(decoder, Mtcnn.open(OrtSettings()), inputs)
        for entry in corpus.entries:
            try:
                recording = _kept(entry, recorder, cache)
            except DataError as error:
                raise CorpusError(entry.path, f"cannot be used: {error}") from error
            yield entry, recording


def _kept(entry: Entry, recorder: Recorder, cache: RecordingCache) -> Recording:
    """Return the recording out of the cache, or put it there; pictures and words are as quick to read as the cache."""
    if not entry.has_media or entry.path.suffix.lower() in PICTURE_SUFFIXES:
        return recorder.take(entry)
    path = cache.path(entry, recorder.inputs)
    if (recording := cache.read(path)) is None:
        recording = recorder.take(entry)
        cache.write(path, recording)
    return recording
