"""The figures of a corpus that are drawn: counts, durations, and every clip as a few simple numbers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from mmer.data.pictureprint import pictureprint
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import DataError
from mmer.edge.labels import LABELS
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.soundtrack import joined
from mmer.edge.media.stream import Frame, Sound

_RATE_HZ, _WINDOW, _BANDS = 16000, 512, 24
_EDGES = np.round(np.geomspace(100, 7000, _BANDS + 1) * _WINDOW / _RATE_HZ).astype(np.intp)
_LONGEST_S = 30.0
_REQUEST = Request(FrameRequest(1.0, 64), SoundRequest(_RATE_HZ))
_LETTERS = 256
"""Places for the pairs of letters of a text."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is drawn."""

    digest: str
    clips: int
    counts: Mapping[str, Mapping[str, int]]
    """Clips by split and label."""
    durations_s: tuple[float, ...]
    """Of the clips that were decoded."""
    labels: tuple[str, ...]
    """Of the clips that have a place."""
    places: NDArray[np.float32]
    """`[N, 2]`, the two directions in which simple features differ most."""
    explained: float
    """The share of the features' variance that the two directions hold."""

    def to_json(self) -> dict[str, object]:
        """Return the figures as JSON values, without the places."""
        spans = np.array(self.durations_s or (0.0,))
        quantiles = [round(float(q), 3) for q in np.quantile(spans, (0.0, 0.5, 1.0))]
        return {
            "digest": self.digest,
            "clips": self.clips,
            "counts": {split: dict(counts) for split, counts in self.counts.items()},
            "duration_s": dict(zip(("least", "median", "most"), quantiles, strict=True)),
            "projection": {"clips": len(self.labels), "explained": round(self.explained, 4)},
        }


def survey(corpus: Corpus, most: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> Survey:
    """Decode at most so many clips, drawn by the seed; a clip that cannot be read has no place in the picture."""
    count = min(most, len(corpus.entries))
    drawn = sorted(np.random.default_rng(seed).choice(len(corpus.entries), count, replace=False))
    rows, labels, spans = list[NDArray[np.float32]](), list[str](), list[float]()
    with IsolatedDecoder() as decoder:
        for done, place in enumerate(drawn, start=1):
            entry = corpus.entries[place]
            try:
                row, span_s = _features(entry, decoder)
            except DataError:
                continue
            rows, labels, spans = [*rows, row], [*labels, entry.label], [*spans, span_s]
            progress(done)
    places, explained = project(rows)
    splits = sorted({entry.split for entry in corpus.entries})
    counts = {split: _counts([e.label for e in corpus.entries if e.split == split]) for split in splits}
    return Survey(corpus.digest, len(corpus.entries), counts, tuple(spans), tuple(labels), places, explained)


def project(rows: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], float]:
    """Return rows `[N][D]` in their two main directions `[N, 2]`, and the share of the variance that these hold."""
    if len(rows) < 3:
        return np.zeros((len(rows), 2), np.float32), 0.0
    table = np.stack(rows).astype(np.float64)
    spread = table.std(axis=0)
    table = (table - table.mean(axis=0))[:, spread > 1e-9] / spread[spread > 1e-9]
    if table.shape[1] < 2:
        return np.zeros((len(rows), 2), np.float32), 0.0
    left, sizes, _ = np.linalg.svd(table, full_matrices=False)
    return (left[:, :2] * sizes[:2]).astype(np.float32), float((sizes[:2] ** 2).sum() / (sizes**2).sum())


def _counts(found: Sequence[str]) -> Mapping[str, int]:
    counted = Counter(found)
    return {label: counted[label] for label in LABELS if label in counted}


def _features(entry: Entry, decoder: IsolatedDecoder) -> tuple[NDArray[np.float32], float]:
    """Return what is simple to say of a clip, and its length in seconds (0 for words and pictures)."""
    sounds, pictures = list[Sound](), list[NDArray[np.float32]]()
    if entry.has_media:
        start_s = entry.start_s or 0.0
        end_s = min(inf if entry.end_s is None else entry.end_s, start_s + _LONGEST_S)
        for event in decoder.events(entry.path, Request(_REQUEST.frames, _REQUEST.sound, start_s, end_s)):
            if isinstance(event, Sound):
                sounds.append(event)
            elif isinstance(event, Frame) and (found := pictureprint(event.pixels)) is not None:
                pictures.append(found.reshape(16, 16)[:8, :8].ravel())
    sound = joined(sounds)
    seen = np.mean(pictures, axis=0) if pictures else np.zeros(64)
    heard = np.zeros(2 * _BANDS) if sound is None else _heard(sound.samples)
    span_s = 0.0 if sound is None else len(sound.samples) / _RATE_HZ
    return np.concatenate([seen, heard, _said(entry.transcript)]).astype(np.float32), span_s


def _heard(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return mean and deviation of the logarithmic energy in 24 bands."""
    if len(samples) < _WINDOW:
        return np.zeros(2 * _BANDS)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[:: _WINDOW // 2]
    spectrum = np.square(np.abs(np.fft.rfft(windows * np.hanning(_WINDOW))))
    logs = np.log(np.add.reduceat(spectrum, _EDGES, axis=1)[:, :-1] + 1e-6)
    return np.concatenate([logs.mean(axis=0), logs.std(axis=0)])


def _said(words: str) -> NDArray[np.float64]:
    """Return how often which pair of letters occurs, pairs thrown together by number."""
    codes = np.frombuffer(words.casefold().encode(), np.uint8).astype(np.intp)
    pairs = (codes[:-1] * 31 + codes[1:]) % _LETTERS
    return np.sqrt(np.bincount(pairs, minlength=_LETTERS) / max(1, len(pairs)))
