"""One pass through a clip: what is wrong with it, and what it is known by."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmer.data.pictureprint import pictureprint
from mmer.data.soundprint import MOST_S, NOTHING, RATE_HZ, soundprint
from mmer.data.twins import Content
from mmer.edge.corpus import Entry
from mmer.edge.errors import DataError, MediaNotFoundError
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.soundtrack import joined
from mmer.edge.media.stream import Damage, Frame, Sound

SILENCE_DBFS = -60.0
"""The loudest 20 ms of a silent clip are below this; the quietest clip of RAVDESS reaches about -45."""
MOST_PICTURES = 16
_LOUDNESS_S = 0.02
_GLANCE = FrameRequest(rate_hz=1.0, long_side=64)
"""All pictures are decoded, few are converted."""
_NO_PICTURES: NDArray[np.float32] = np.zeros((0, 256), np.float32)
_UNKNOWN = Content("", NOTHING, _NO_PICTURES)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one clip."""

    kind: str
    """`missing`, `unreadable`, `damaged`, `silent` or `short`."""
    path: Path
    detail: str


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass through a clip told."""

    findings: tuple[Finding, ...]
    content: Content


def look_at(entry: Entry, decoder: IsolatedDecoder) -> Look:
    """Decode a clip once; words alone are taken as they are."""
    if not entry.has_media:
        return Look((), _UNKNOWN)
    try:
        clip = decoder.open(entry.path)
        short = []
        if entry.end_s is not None and clip.duration_s is not None and entry.end_s > clip.duration_s + 1.0:
            detail = f"ends at {clip.duration_s:.2f} s, the index says {entry.end_s:.2f} s"
            short = [Finding("short", entry.path, detail)]
        decoded = _decoded(entry, decoder)
    except MediaNotFoundError:
        return Look((Finding("missing", entry.path, "no such file"),), _UNKNOWN)
    except DataError as error:
        return Look((Finding("unreadable", entry.path, str(error)),), _UNKNOWN)
    return Look((*short, *decoded.findings), decoded.content)


def _decoded(entry: Entry, decoder: IsolatedDecoder) -> Look:
    end_s = math.inf if entry.end_s is None else entry.end_s
    request = Request(_GLANCE, SoundRequest(RATE_HZ), entry.start_s or 0.0, end_s)
    loudest, first_s, findings = 0.0, math.inf, list[Finding]()
    kept, pictures = list[Sound](), list[NDArray[np.float32]]()
    for event in decoder.events(entry.path, request):
        if isinstance(event, Damage):
            findings.append(Finding("damaged", entry.path, f"{event.packets} {event.stream} packets: {event.reason}"))
        elif isinstance(event, Sound):
            loudest, first_s = max(loudest, _loudness(event)), min(first_s, event.time_s)
            if event.end_s <= first_s + MOST_S:
                kept.append(event)
        elif len(pictures) < MOST_PICTURES:
            pictures += _prints(event)
    if math.isfinite(first_s) and 20 * math.log10(max(loudest, 1e-9)) < SILENCE_DBFS:
        findings.append(Finding("silent", entry.path, f"nothing above {SILENCE_DBFS:.0f} dBFS"))
    return Look(tuple(findings), _content(entry.path, kept, pictures))


def _prints(frame: Frame) -> list[NDArray[np.float32]]:
    found = pictureprint(frame.pixels)
    return [] if found is None else [found]


def _content(path: Path, sounds: Iterable[Sound], pictures: Sequence[NDArray[np.float32]]) -> Content:
    """Return what the clip is known by: its pictures only where nothing is heard, for two takes may well look alike."""
    sound = joined(sounds)
    heard = NOTHING if sound is None else soundprint(sound.samples)
    seen = np.stack(pictures) if pictures and not heard.any() else _NO_PICTURES
    return Content(_digest(path), heard, seen)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _loudness(sound: Sound) -> float:
    """Return the root mean square of the loudest 20 ms."""
    size = max(1, int(_LOUDNESS_S * sound.rate_hz))
    whole = len(sound.samples) // size * size
    pieces = sound.samples[:whole].reshape(-1, size) if whole else sound.samples[None]
    return float(np.sqrt(np.max(np.mean(np.square(pieces, dtype=np.float64), axis=1), initial=0.0)))
