import numpy as np
import pytest

from mmer.data.synth.cue import Cue
from mmer.data.synth.lexicon import sentence
from mmer.data.synth.recipe import SIX


def drawn(difficulty: float) -> list[Cue]:
    rng = np.random.default_rng(0)
    return [Cue.draw("happy", SIX, difficulty, rng) for _ in range(2000)]


def test_a_cue_is_full_at_difficulty_zero():
    assert all((cue.strength, cue.decoy_strength) == (1.0, 0.0) for cue in drawn(0.0))


def test_cues_weaken_with_difficulty():
    lead = [np.mean([c.strength - c.decoy_strength for c in drawn(d)]) for d in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert lead == sorted(lead, reverse=True)


def test_the_decoy_is_never_the_class():
    assert all(cue.decoy != "happy" for cue in drawn(1.0))


@pytest.mark.parametrize("label", SIX)
def test_a_full_cue_words_a_sentence_of_its_class_alone(label):
    full = Cue(label, 1.0, label, 0.0, 0.0)
    others = {name: Cue(name, 1.0, name, 0.0, 0.0) for name in SIX if name != label}
    mine = {sentence(full, np.random.default_rng(n)) for n in range(40)}
    assert not mine & {sentence(cue, np.random.default_rng(n)) for cue in others.values() for n in range(40)}


def test_a_cue_of_no_strength_words_a_sentence_of_no_class():
    empty = [Cue(name, 0.0, name, 0.0, 0.0) for name in SIX]
    assert len({sentence(cue, np.random.default_rng(3)) for cue in empty}) == 1
