"""The branch for text: learned from the comments of GoEmotions, then fine-tuned on the lines of MELD."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from linear.sets import Answered, Lines, goemotions_lines, meld_lines
from trained.run import Run, learned_from

from mmer.training.checkpoint import Checkpoint
from mmer.training.collate import EVERYTHING
from mmer.training.evaluate import answers
from mmer.training.recording import Recording
from mmer.training.samples import Sample
from mmer.training.start import Start
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
    comments = of_lines(run, "goemotions_text", None)
    found = {"goemotions_text": comments}
    if run.wants("meld_text"):
        found["meld_text"] = of_lines(run, "meld_text", Start("goemotions_text", comments))
    return {name: judged(run, name, checkpoint) for name, checkpoint in found.items() if run.wants(name)}


def of_lines(run: Run, name: str, start: Start | None) -> Checkpoint:
    """Return what is learned of the training lines of a set."""

    def samples() -> list[Sample]:
        dealt = run.dealt(samples_of(READ[name](run.pack, "train")))
        return [replace(sample, split="val") if n % WATCHED == 0 else sample for n, sample in enumerate(dealt)]

    changes = (f"seed={run.seed}", *(() if start is None else LINES), *run.changes)
    return run.learned(name, samples, usual(Wish("cafes", "small", changes, modality="text"), SEVEN, start), start)


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
