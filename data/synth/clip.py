"""One synthetic clip: pictures, sound and words that agree in time and, as far as the cues go, in class."""

from dataclasses import dataclass

import numpy as np

from mmer.data.synth.acting import Act
from mmer.data.synth.arrays import Bytes, Floats
from mmer.data.synth.camera import Shot, film
from mmer.data.synth.cue import Cue
from mmer.data.synth.emotion import blend
from mmer.data.synth.lexicon import sentence
from mmer.data.synth.phones import utter
from mmer.data.synth.recipe import SynthRecipe
from mmer.data.synth.speaker import Speaker
from mmer.data.synth.voice import Delivery, speak

SENTENCE_S = 3.0
"""Length of a clip for each sentence in it."""


@dataclass(frozen=True, slots=True)
class SynthClip:
    """A clip in memory."""

    pixels: Bytes
    """`[T, H, W, 3]` RGB, at the recipe's rate."""
    samples: Floats
    """`[N]` at 16 kHz."""
    transcript: str


def make_clip(recipe: SynthRecipe, who: int, label: str, number: int) -> SynthClip:
    """Make a clip of a speaker; each modality has its own cue and its own random numbers."""
    seeds = np.random.SeedSequence(tuple(recipe.entropy(who, label, number))).spawn(3)
    see, hear, read = (np.random.default_rng(seed) for seed in seeds)
    cues = [Cue.draw(label, recipe.labels, recipe.difficulty, rng) for rng in (see, hear, read)]
    speaker, sentences = Speaker.draw(recipe.seed, who), max(1, round(recipe.length_s / SENTENCE_S))
    transcript = " ".join(sentence(cues[2], read) for _ in range(sentences))
    delivery = Delivery(speaker.voice, cues[1].prosody(hear), hiss_db=45 - 28 * recipe.difficulty * hear.random())
    rate = speaker.voice.rate * 2**delivery.prosody.rate
    utterance = utter(transcript, rate, recipe.length_s, hear)
    act = Act(blend([(cues[0].pose(see), speaker.looks.expressiveness)]), utterance)
    shot = _shot(recipe, see)
    return SynthClip(
        pixels=film(speaker.looks, act.play(shot.times_s, see), shot, see),
        samples=speak(utterance, delivery, recipe.length_s, hear),
        transcript=transcript,
    )


def _shot(recipe: SynthRecipe, rng: np.random.Generator) -> Shot:
    times = np.arange(round(recipe.length_s * recipe.rate_hz)) / recipe.rate_hz
    black, both = rng.random(2)
    return Shot(
        width=recipe.width,
        height=recipe.height,
        times_s=times,
        black=(1 + int(both < 0.5)) if black < recipe.black_share else 0,
        difficulty=recipe.difficulty,
    )
