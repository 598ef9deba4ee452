"""The explanation of an answer that a float model gives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mmer.edge.bundle.manifest import Inputs
from mmer.edge.bundle.plan import Source
from mmer.edge.explain.ablation import Kept, ablate
from mmer.edge.explain.explanation import Explanation, Gradients, Insight, Trace
from mmer.edge.explain.graphs import refuse_unknown
from mmer.edge.explain.scene import Moment, Scene, scene
from mmer.edge.pipeline.materials import Materials
from mmer.training.batch import MODALITIES, Batch, Output
from mmer.training.checkpoint import Checkpoint
from mmer.training.collate import Arrays, collate
from mmer.training.explain.attentions import noted
from mmer.training.explain.gradients import Accounts, integrated
from mmer.training.waveform import MIN_SAMPLES

BIN_S = 0.1
"""Of sound, whose gradients are summed over so much time."""


def explain_checkpoint(
    path: Path, moment: Moment, label: str | None = None, progress: Callable[[int], None] = lambda _: None
) -> Explanation:
    """Explain a label of a window, or the likeliest; raise `SettingError` for one that the model does not have."""
    checkpoint = Checkpoint.open(path)
    labels = checkpoint.facts.labels
    refuse_unknown(label, labels)
    seen = scene(moment, _materials(checkpoint))
    asked = _Asked(checkpoint, _arrays(seen))
    probabilities, weights = asked.answer(seen.present), asked.weights()
    chosen = label or labels[int(probabilities.argmax())]
    return Explanation(
        {"kind": "checkpoint", "name": path.resolve().name, "model": checkpoint.facts.model, "notice": None},
        seen,
        chosen,
        dict(zip(labels, probabilities.tolist(), strict=True)),
        ablate(asked.answer, seen.present, labels, chosen),
        weights,
        _insight(asked, seen, labels.index(chosen), progress),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A model and the one sample that it is asked about."""

    checkpoint: Checkpoint
    arrays: Arrays

    def batch(self, kept: Kept = MODALITIES) -> Batch:
        video, audio, text = (name in kept for name in MODALITIES)
        return collate([self.arrays.only((video, audio, text))], self.checkpoint.facts.inputs.video.size)

    def output(self, kept: Kept = MODALITIES) -> Output:
        with torch.no_grad():
            output: Output = self.checkpoint.model(self.batch(kept))
        return output

    def answer(self, kept: Kept) -> NDArray[np.float64]:
        """Return probabilities `[K]`."""
        shares: NDArray[np.float64] = self.output(kept).logits.double().softmax(1)[0].numpy()
        return shares

    def weights(self) -> Mapping[str, float]:
        return dict(zip(MODALITIES, self.output().weights[0].tolist(), strict=True))


def _materials(checkpoint: Checkpoint) -> Materials:
    reader = checkpoint.reader()
    inputs = Inputs(reader.inputs.video, reader.inputs.audio, reader.inputs.text)
    return Materials(inputs, (Source("samples", "audio", "window", MIN_SAMPLES),), reader.tokeniser)


def _arrays(seen: Scene) -> Arrays:
    """Return the material of a window as training reads it."""
    crops, samples, ids = ([i.make() for i in seen.material.values.get(n, ())] for n in ("crops", "samples", "ids"))
    arrays = Arrays(np.stack(crops) if crops else None, samples[0][0] if samples else None, ids[0][0] if ids else None)
    video, audio, text = (name in seen.present for name in MODALITIES)
    return arrays.only((video, audio, text))


def _insight(asked: _Asked, seen: Scene, label: int, progress: Callable[[int], None]) -> Insight:
    model = asked.checkpoint.model
    watched = {t: a for t, a in model.attentions().items() if set(a.needs) <= set(seen.present)}
    with noted(watched) as attention:
        confidence = asked.output().confidence
    accounts = integrated(model, asked.batch(), label, progress=progress)
    traces = [_trace("attention", title, watched[title].modality, seen, v) for title, v in attention.items()]
    for modality, trust in confidence.items():
        means = trust.values[0][trust.mask[0]].mean(1).double().numpy()
        traces.append(_trace("confidence", modality, modality, seen, means))
    return Insight(_gradients(asked, accounts), (*traces, *_gradient_traces(asked, accounts, seen)))


def _gradients(asked: _Asked, accounts: Accounts) -> Gradients:
    parts = {"video": accounts.frames, "audio": accounts.samples, "text": accounts.words}
    sums = {n: float(parts[n].sum()) for n, there in zip(MODALITIES, asked.arrays.present, strict=True) if there}
    gap = accounts.probability - accounts.baseline - sum(sums.values())
    ids = [] if asked.arrays.ids is None else asked.arrays.ids.tolist()
    tokenizer = Tokenizer.from_str(asked.checkpoint.tokenizer)
    words = tuple((tokenizer.id_to_token(i) or "?", float(v)) for i, v in zip(ids, accounts.words, strict=False))
    return Gradients(sums, accounts.baseline, gap, words)


def _gradient_traces(asked: _Asked, accounts: Accounts, seen: Scene) -> Iterator[Trace]:
    if asked.arrays.frames is not None:
        yield _trace("gradients", "video", "video", seen, accounts.frames)
    if asked.arrays.samples is not None:
        width = max(1, round(BIN_S * asked.checkpoint.facts.inputs.audio.rate_hz))
        sums = np.add.reduceat(accounts.samples, range(0, len(accounts.samples), width))
        yield _trace("gradients", "audio", "audio", seen, sums)


def _trace(kind: str, title: str, modality: str, seen: Scene, values: Sequence[float] | NDArray[np.float64]) -> Trace:
    return Trace(kind, title, modality, _times(modality, seen, len(values)), tuple(float(v) for v in values))


def _times(modality: str, seen: Scene, steps: int) -> tuple[float, ...]:
    """Return the moments of frames, or the middles of equal steps of sound."""
    if modality == "video":
        return tuple(crop.time_s for crop in seen.frames)
    sound = seen.window.sound
    assert sound is not None
    return tuple(sound.time_s + (sound.end_s - sound.time_s) * (n + 0.5) / steps for n in range(steps))
