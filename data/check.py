"""What is wrong with a corpus before anybody trains on it."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import DataError, MediaNotFoundError
from mmer.edge.leaks import leaking
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Damage, Sound

SILENCE_DBFS = -60.0
"""The loudest 20 ms of a silent clip are below this; the quietest clip of RAVDESS reaches about -45."""
UNUSABLE = frozenset({"missing", "unreadable"})
_LOUDNESS_S = 0.02
_GLANCE = FrameRequest(rate_hz=1.0, long_side=64)
"""All pictures are decoded, few are converted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one clip."""

    kind: str
    """`missing`, `unreadable`, `damaged`, `silent` or `short`."""
    path: Path
    detail: str


@dataclass(frozen=True, slots=True)
class Leak:
    """A speaker who is heard or seen in more than one split."""

    speaker: str
    splits: tuple[str, ...]
    clips: int


@dataclass(frozen=True, slots=True)
class CorpusCheck:
    """What was found in a corpus."""

    digest: str
    clips: int
    counts: Mapping[str, Mapping[str, int]]
    """Clips by split and label."""
    speakers: Mapping[str, int]
    """Speakers by split; clips without a speaker are not counted."""
    without_speaker: int
    findings: tuple[Finding, ...]
    leaks: tuple[Leak, ...]

    @property
    def usable(self) -> bool:
        """Whether every clip can be read; silence and damage are worth a look, no more."""
        return not any(finding.kind in UNUSABLE for finding in self.findings)


def check_corpus(corpus: Corpus, progress: Callable[[int], None] = lambda _: None) -> CorpusCheck:
    """Decode every clip once; `progress` hears how many are done."""
    findings: list[Finding] = []
    with IsolatedDecoder() as decoder:
        for done, entry in enumerate(corpus.entries, start=1):
            findings += _clip_findings(entry, decoder)
            progress(done)
    splits = sorted({e.split for e in corpus.entries})
    return CorpusCheck(
        corpus.digest,
        len(corpus.entries),
        {s: dict(Counter(e.label for e in corpus.entries if e.split == s)) for s in splits},
        {s: len({(e.set, e.speaker) for e in corpus.entries if e.split == s and e.speaker}) for s in splits},
        sum(not e.speaker for e in corpus.entries),
        tuple(findings),
        tuple(leaks(corpus.entries)),
    )


def check_json(check: CorpusCheck) -> dict[str, object]:
    """Return the check as JSON values."""
    facts = asdict(check) | {"usable": check.usable}
    facts["findings"] = [asdict(finding) | {"path": str(finding.path)} for finding in check.findings]
    return {"schema": "mmer.data.check/1", **facts}


def check_lines(check: CorpusCheck) -> list[str]:
    """Return the check as text for people."""
    lines = [f"{check.clips} clips, digest {check.digest[:12]}"]
    for split, counts in check.counts.items():
        listed = ", ".join(f"{label} {count}" for label, count in sorted(counts.items()))
        lines.append(f"{split}: {sum(counts.values())} clips, {check.speakers[split]} speakers: {listed}")
    if check.without_speaker:
        lines.append(f"{check.without_speaker} clips have no speaker: whether they leak between splits cannot be told")
    lines += [f"{finding.kind}: {finding.path}: {finding.detail}" for finding in check.findings]
    lines += [
        f"leak: {leak.speaker} stands in {' and '.join(leak.splits)} ({leak.clips} clips)" for leak in check.leaks
    ]
    return lines if len(check.findings) + len(check.leaks) else [*lines, "nothing wrong"]


def leaks(entries: Iterable[Entry]) -> Iterator[Leak]:
    """Yield the speakers that stand in two splits; a name is a person, whatever the set."""
    for speaker, splits in leaking(entries).items():
        yield Leak(speaker, tuple(sorted(splits)), sum(splits.values()))


def _clip_findings(entry: Entry, decoder: IsolatedDecoder) -> Iterator[Finding]:
    try:
        clip = decoder.open(entry.path)
        if entry.end_s is not None and clip.duration_s is not None and entry.end_s > clip.duration_s + 1.0:
            yield Finding("short", entry.path, f"ends at {clip.duration_s:.2f} s, the index says {entry.end_s:.2f} s")
        yield from _decoding_findings(entry, decoder)
    except MediaNotFoundError:
        yield Finding("missing", entry.path, "no such file")
    except DataError as error:
        yield Finding("unreadable", entry.path, str(error))


def _decoding_findings(entry: Entry, decoder: IsolatedDecoder) -> Iterator[Finding]:
    end_s = math.inf if entry.end_s is None else entry.end_s
    request = Request(_GLANCE, SoundRequest(16000), entry.start_s or 0.0, end_s)
    loudest, heard = 0.0, False
    for event in decoder.events(entry.path, request):
        if isinstance(event, Damage):
            yield Finding("damaged", entry.path, f"{event.packets} {event.stream} packets: {event.reason}")
        elif isinstance(event, Sound):
            heard, loudest = True, max(loudest, _loudness(event))
    if heard and 20 * math.log10(max(loudest, 1e-9)) < SILENCE_DBFS:
        yield Finding("silent", entry.path, f"nothing above {SILENCE_DBFS:.0f} dBFS")


def _loudness(sound: Sound) -> float:
    """Return the root mean square of the loudest 20 ms."""
    size = max(1, int(_LOUDNESS_S * sound.rate_hz))
    whole = len(sound.samples) // size * size
    pieces = sound.samples[:whole].reshape(-1, size) if whole else sound.samples[None]
    return float(np.sqrt(np.max(np.mean(np.square(pieces, dtype=np.float64), axis=1), initial=0.0)))
