"""All branches as one model on Java-SED: each learned by itself, joined without any further training.

What is joined answers each clip by the mean vote of its heads, of which text has two of four. Training it further on
the clips that the branches have learned already would teach it to trust whoever knows them by heart. Java-SED's words
tell nothing: with "paired text" a clip comes with somebody else's line of the same label, from the dev split of MELD.
"""

from collections.abc import Mapping
from dataclasses import replace

from java_sed import PAIRS, ROTATED, pooled
from linear.sets import Answered
from paired_text import meld, paired
from trained import audio, faces, text
from trained.run import Run

from mmer.edge.bench.judged import Judged
from mmer.edge.bench.verdict import ALL, SUBSETS
from mmer.edge.corpus import Corpus
from mmer.training.checkpoint import Checkpoint
from mmer.training.evaluate import answers
from mmer.training.graft import grafted
from mmer.training.samples import labels_of, load_samples
from mmer.training.start import Start

JUDGED = {"java_sed_fused": "video+audio", "java_sed_paired": ALL}
"""The modalities that answer each set."""
PROTOCOLS = {
    "java_sed_fused": f"{ROTATED}; sound and faces, each branch learned by itself, votes averaged",
    "java_sed_paired": f"{ROTATED}; paired text: with a line of MELD's dev split that has the same label, "
    "which has two of the four votes",
}


def answered(run: Run) -> Mapping[str, Answered]:
    """Train the branches that are not kept, join them for each pair of speakers, and return the answers."""
    learned(run)
    seen = Corpus.read([run.pack / "clips.csv"]).where([("set", "java_sed_av")])
    folds = [joined(run, number, seen) for number in range(len(PAIRS))]
    clips = tuple(name for names, _ in folds for name in names)
    labels = labels_of(seen)
    used = sum(entry.speaker not in PAIRS[0] for entry in seen.entries)
    return {
        name: Answered(labels, clips, pooled([found[name] for _, found in folds]), PROTOCOLS[name], used)
        for name in JUDGED
        if run.wants(name)
    }


def learned(run: Run) -> None:
    """Train the branches that are not kept yet."""
    for branch, name in ((audio, "java_sed_audio"), (faces, "java_sed_video"), (text, "meld_text")):
        branch.answered(replace(run, sets=(name,)))


def whole(run: Run, number: int) -> Checkpoint:
    """Return the branches that have met neither speaker of a pair, as one model."""
    parts = {
        "video": Start.open(run.path(f"java_sed_video-{number}")),
        "audio": Start.open(run.path(f"java_sed_audio-{number}")),
        "text": Start.open(run.path("meld_text")),
    }
    return grafted(parts, run.seed).checkpoint


def joined(run: Run, number: int, seen: Corpus) -> tuple[list[str], Mapping[str, Judged]]:
    """Return the clips of a pair of speakers and the answers of the branches that have met neither."""
    checkpoint = whole(run, number)
    labels = checkpoint.facts.labels
    assert labels == labels_of(seen)
    order = [entry for pair in PAIRS for entry in seen.entries if entry.speaker in pair]
    lines = dict(
        zip(
            [entry.path for entry in order],
            paired([entry.label for entry in order], meld(run.pack, "dev")),
            strict=True,
        )
    )
    mine = [entry for entry in order if entry.speaker in PAIRS[number]]
    samples = load_samples(Corpus(tuple(mine)), labels, checkpoint.facts.inputs)
    told = [replace(sample, text=lines[entry.path]) for sample, entry in zip(samples, mine, strict=True)]
    return [sample.name for sample in told], {
        name: answers(checkpoint, told, SUBSETS[of]) for name, of in JUDGED.items()
    }
