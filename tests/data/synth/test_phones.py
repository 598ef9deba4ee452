import numpy as np
import pytest

from mmer.data.synth.emotion import MANNERS
from mmer.data.synth.lexicon import FILLER, FRAMES
from mmer.data.synth.phones import PHONES, read, utter


def test_doubled_letters_and_a_final_e_are_not_spoken():
    assert list(read("little")) == list(read("litl"))


def test_every_word_of_the_lexicon_can_be_spoken():
    lists = [words for m in (*MANNERS.values(),) for words in (m.words.adjectives, m.words.nouns, m.words.verbs)]
    words = {w for words in (*lists, FILLER.adjectives, FILLER.nouns, FILLER.verbs, FRAMES) for w in words}
    assert all(any(phone.voiced == 1 for phone in read(word)) for word in words)


@pytest.mark.parametrize("rate", [0.3, 1.0, 2.0])
def test_speech_ends_before_the_clip_does(rate):
    utterance = utter("the garden was narrow and they walked", rate, 2.0, np.random.default_rng(0))
    assert 0 < utterance.edges_s[0] < utterance.edges_s[-1] < 2.0
    assert (np.diff(utterance.edges_s) > 0).all()


def test_a_time_outside_the_speech_is_at_rest():
    utterance = utter("a", 1.0, 2.0, np.random.default_rng(0))
    heard = utterance.at(np.array([0.0, utterance.edges_s[0] + 0.01, 1.99]), [p.gap for p in utterance.phones], -1.0)
    assert heard.tolist() == [-1.0, PHONES["a"][0].gap, -1.0]
