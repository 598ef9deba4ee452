"""The branch for text: learned from the comments of GoEmotions, then fine-tuned on the lines of MELD."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from linear.sets import Answered, Lines, goemotions_lines, meld_lines
from trained.run import Run

from mmer.training.checkpoint import FACTS, Checkpoint
from mmer.training.collate import EVERYTHING
from mmer.training.evaluate import answers
from mmer.training.history import Epoch
from mmer.training.loop import Listener
from mmer.training.recording import Recording
from mmer.training.samples import Sample
from mmer.training.start import Start
from mmer.training.train import Beginning, train
from mmer.training.usual import Wish, usual

SEVEN = ("neutral", "happy", "sad", "anger", "fear", "surprise", "disgust")
"""The labels of both sets."""
LINES = ("epochs=4", "batch_size=64", "optimiser.lr=0.001")
"""Changes of the settings for lines of MELD, which are few; chosen on whole dialogues of its training split."""
WATCHED = 50
"""Of so many training lines one is held out, to watch by; nothing is chosen by it."""
PROTOCOLS = {
    "goemotions_text": "comments with one label: train for training, dev judged; recipe chosen on a part of train",
    "meld_text": "train for training, after GoEmotions, dev judged; no context; recipe chosen on a part of train",
}
READ = {"goemotions_text": goemotions_lines, "meld_text": meld_lines}
_SILENCE = Recording(0.0, 0.0, np.zeros(0), np.zeros((0, 48, 48, 3), np.uint8), np.zeros(0, np.float32))


def answered(run: Run) -> Mapping[str, Answered]:
    """Return the answers of the branch."""
    with ExitStack() as stack:
        folder = run.keep or Path(stack.enter_context(TemporaryDirectory()))
        comments = kept(run, "goemotions_text", folder, None)
        found = {"goemotions_text": comments}
        if run.wants("meld_text"):
            found["meld_text"] = kept(run, "meld_text", folder, comments)
        return {name: judged(run, name, checkpoint) for name, checkpoint in found.items() if run.wants(name)}


def kept(run: Run, name: str, folder: Path, start: Checkpoint | None) -> Checkpoint:
    """Return what was learned of a set and keep it in the folder, or find it there."""
    path = folder / f"{name}{'-shuffled' if run.chance else ''}-{run.seed}"
    if (path / FACTS).is_file():
        return Checkpoint.open(path)
    samples = run.dealt(samples_of(READ[name](run.pack, "train")))
    begins = None if start is None else Start(name, start)
    changes = (f"seed={run.seed}", *(() if start is None else LINES), *run.changes)
    settings = usual(Wish("cafes", "small", changes, modality="text"), SEVEN, begins)
    placed = [replace(sample, split="val") if n % WATCHED == 0 else sample for n, sample in enumerate(samples)]
    beginning = Beginning(begins, path.with_suffix(".progress"), resume=True)
    trained = train(placed, settings, listener=heard(name), beginning=beginning)
    trained.checkpoint.save(path)
    path.with_suffix(".progress").unlink()
    return trained.checkpoint


def judged(run: Run, name: str, checkpoint: Checkpoint) -> Answered:
    """Return the answers to the dev split of a set."""
    lines = READ[name](run.pack, "dev")
    found = replace(answers(checkpoint, samples_of(lines), EVERYTHING), speakers=list(lines.speakers))
    return Answered(SEVEN, tuple(lines.names), found, PROTOCOLS[name], learned_from(checkpoint))


def samples_of(lines: Lines) -> list[Sample]:
    """Return each line as a sample of words alone, to be trained on."""
    assert not isinstance(lines.content, np.ndarray)
    columns = zip(lines.content, lines.labels, lines.names, strict=True)
    return [Sample(_SILENCE, text, SEVEN.index(label), "", "train", name) for text, label, name in columns]


def learned_from(checkpoint: Checkpoint) -> int:
    """Return how many lines a checkpoint was trained on."""
    clips = checkpoint.facts.provenance["clips"]
    assert isinstance(clips, dict)
    return int(clips["train"])


def heard(name: str) -> Listener:
    """Return a listener that tells of every epoch."""

    def told(epoch: Epoch) -> None:
        print(
            f"{name} epoch {epoch.number}: loss {epoch.loss:.3f}, watched UAR {epoch.uar:.3f}, {epoch.wall_s:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    return Listener(epoch=told)
