"""What a model answers for samples, in their order, however they are batched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mmer.training.collate import EVERYTHING, Presence, Reader, collate
from mmer.training.model import EmotionModel
from mmer.training.samples import Sample

BATCH = 32
"""Padding does not change answers, so this is about speed alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Probabilities for those samples of which something is left to look at."""

    places: NDArray[np.intp]
    """`[M]` indices into the samples, ascending."""
    probabilities: NDArray[np.float64]
    """`[M, K]`."""


def predict(model: EmotionModel, reader: Reader, samples: Sequence[Sample], kept: Presence = EVERYTHING) -> Answers:
    """Answer every sample that has one of the modalities kept; the model comes back in the mode it was in."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    places: list[int] = []
    answers: list[NDArray[np.float64]] = []
    with torch.inference_mode():
        for start in range(0, len(samples), BATCH):
            rows = [reader.read(sample).only(kept) for sample in samples[start : start + BATCH]]
            there = [place for place, row in enumerate(rows) if any(row.present)]
            places += [start + place for place in there]
            if there:
                batch = collate([rows[place] for place in there], reader.inputs.video.size)
                answers.append(model(batch.to(device)).logits.double().softmax(1).cpu().numpy())
    model.train(was_training)
    return Answers(np.array(places, np.intp), np.concatenate(answers) if answers else np.zeros((0, 0)))
