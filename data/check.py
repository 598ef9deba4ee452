"""What is wrong with a corpus before anybody trains on it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from mmer.data.look import Finding, look_at
from mmer.data.twins import Content, Twin, repeated_texts, twins
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.leaks import leaking
from mmer.edge.media.isolated import IsolatedDecoder

UNUSABLE = frozenset({"missing", "unreadable"})
TOLERATED = 0.01
"""The share of a split's pictures that may look like one elsewhere before that is a leak: FER-2013's own splits,
cleaned of equal files, still hold 0.7 % such pairs. Everything else is a leak from the first pair on."""


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
    twins: tuple[Twin, ...] = ()
    """The same recording in two splits."""
    repeated_texts: int = 0
    """Texts without media, however short, in more than one split; by itself no leak."""

    @property
    def usable(self) -> bool:
        """Whether every clip can be read; silence and damage are worth a look, no more."""
        return not any(finding.kind in UNUSABLE for finding in self.findings)

    @property
    def leaking(self) -> int:
        """How many speakers and recordings stand in two splits; a few pictures that look alike do not count."""
        alike = [twin for twin in self.twins if twin.kind == "picture"]
        sizes = {split: sum(labels.values()) for split, labels in self.counts.items()}
        few = all(
            sum(split in twin.splits for twin in alike) <= size * TOLERATED
            for split, size in sizes.items()
            if size == min((sizes[s] for twin in alike for s in twin.splits), default=0)
        )
        return len(self.leaks) + len(self.twins) - (len(alike) if few else 0)


def check_corpus(corpus: Corpus, progress: Callable[[int], None] = lambda _: None) -> CorpusCheck:
    """Decode every clip once; `progress` hears how many are done."""
    findings: list[Finding] = []
    contents: list[Content] = []
    with IsolatedDecoder() as decoder:
        for done, entry in enumerate(corpus.entries, start=1):
            look = look_at(entry, decoder)
            findings += look.findings
            contents.append(look.content)
            progress(done)
    splits = sorted({e.split for e in corpus.entries})
    return CorpusCheck(
        corpus.digest,
        len(corpus.entries),
        {s: dict(Counter(e.label for e in corpus.entries if e.split == s)) for s in splits},
        {s: len({(e.set, e.speaker) for e in corpus.entries if e.split == s and e.speaker}) for s in splits},
        sum(e.has_media and not e.speaker for e in corpus.entries),
        tuple(findings),
        tuple(leaks(corpus.entries)),
        twins(corpus.entries, contents),
        repeated_texts(corpus.entries),
    )


def check_json(check: CorpusCheck) -> dict[str, object]:
    """Return the check as JSON values."""
    facts = asdict(check) | {"usable": check.usable, "leaking": check.leaking}
    facts["twins"] = [asdict(twin) | {"paths": [str(path) for path in twin.paths]} for twin in check.twins]
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
    lines += [f"same {t.kind}: {_named(t)} ({' and '.join(t.splits)})" for t in check.twins]
    if check.repeated_texts:
        lines.append(f"{check.repeated_texts} texts stand in more than one split; short ones are no leak")
    if check.twins and not check.leaking:
        lines.append(f"pictures that look alike are under {TOLERATED:.0%} of the split: no leak, but look at them")
    return lines if len(check.findings) + len(check.leaks) + len(check.twins) else [*lines, "nothing wrong"]


def _named(twin: Twin) -> str:
    return ascii(twin.detail) if twin.detail else " and ".join(map(str, twin.paths))


def leaks(entries: Iterable[Entry]) -> Iterator[Leak]:
    """Yield the speakers that stand in two splits; a name is a person, whatever the set."""
    for speaker, splits in leaking(entries).items():
        yield Leak(speaker, tuple(sorted(splits)), sum(splits.values()))
