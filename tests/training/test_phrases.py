"""The vector of a line is made of what is in it, wherever that is."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from mmer.edge.errors import SettingError
from mmer.training.phrases import PhraseEncoder, PhraseSettings
from mmer.training.text import TextEncoder, TextSettings, text_encoder

TINY = TextSettings(60, 8, 16, kind="phrases", phrases=PhraseSettings(3, 4))


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return text_encoder(TINY).eval()


@torch.no_grad()
def test_padding_changes_nothing(encoder):
    ids, mask = torch.randint(5, 60, (2, 9)), torch.ones(2, 9, dtype=torch.bool)
    mask[1, 4:] = False
    torch.testing.assert_close(encoder(ids, mask)[1:], encoder(ids[1:, :4]), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_line_may_be_shorter_than_a_phrase(encoder):
    assert encoder(torch.tensor([[7]])).shape == (1, 16)


@torch.no_grad()
def test_a_phrase_is_heard_wherever_it_is(encoder):
    line = torch.tensor([[5, 5, 5, 30, 31, 32, 5, 5, 5]])
    torch.testing.assert_close(encoder(line), encoder(line.roll(2, 1)), atol=1e-5, rtol=0)
    assert not torch.allclose(encoder(line), encoder(line.flip(1)), atol=1e-3)


def test_an_encoder_of_the_same_seed_is_the_same(encoder):
    torch.manual_seed(0)
    again = PhraseEncoder(nn.Embedding(60, 8), 16, TINY.phrases)
    assert all(torch.equal(one, other) for one, other in zip(encoder.parameters(), again.parameters(), strict=True))


def test_albert_is_what_text_is_read_by_unless_somebody_says_otherwise():
    assert isinstance(text_encoder(TextSettings(60, 8, 16, 1, 2, 32, 40)), TextEncoder)


def test_weights_of_albert_fit_no_phrases(tmp_path):
    with pytest.raises(SettingError, match=r"ALBERT's, and text\.kind is phrases; take none"):
        text_encoder(TINY, str(tmp_path))


@pytest.mark.parametrize("wrong", [{"longest": 0}, {"detectors": 0}, {"token_dropout": -0.1}, {"dropout": 1.5}])
def test_sizes_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError, match=r"text\.phrases\."):
        replace(TINY.phrases, **wrong)


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(SettingError, match=r"text\.kind"):
        replace(TINY, kind="words")
