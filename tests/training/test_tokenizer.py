"""A tokenizer made here gives the runtime the ids that training saw."""

import numpy as np
import pytest
from tokenizers import Tokenizer

from mmer.edge.inputs.text import TextInput, Tokeniser
from mmer.training.tokenizer import SPECIAL, train_tokenizer

TEXTS = ["I am so happy today, it's great!", "why would you do that to me", "no way, really?"]


def test_the_runtime_reads_the_same_ids(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(train_tokenizer(TEXTS), encoding="utf-8")
    read = Tokeniser.open(path, TextInput()).arrays("So HAPPY, ünlike you")
    plain = Tokenizer.from_str(train_tokenizer(TEXTS)).encode("So HAPPY, ünlike you")
    assert (read.values[read.mask].tolist(), read.mask.sum()) == (plain.ids, len(plain.ids))


def test_the_order_of_the_texts_does_not_matter():
    assert train_tokenizer(TEXTS) == train_tokenizer(reversed(TEXTS * 1))


def test_a_sentence_is_framed_and_special_tokens_have_alberts_ids():
    tokenizer = Tokenizer.from_str(train_tokenizer(TEXTS))
    tokens = tokenizer.encode("happy").tokens
    assert (tokens[0], tokens[-1], [tokenizer.token_to_id(name) for name in SPECIAL]) == ("[CLS]", "[SEP]", [*range(5)])


def test_typeset_quotes_are_typed_ones():
    tokenizer = Tokenizer.from_str(train_tokenizer(TEXTS))
    assert tokenizer.encode("it\N{RIGHT SINGLE QUOTATION MARK}s “so”").ids == tokenizer.encode('it\'s "so"').ids


@pytest.mark.parametrize("texts", [[], [""]])
def test_without_words_the_pieces_are_letters(texts):
    tokenizer = Tokenizer.from_str(train_tokenizer(texts))
    assert tokenizer.get_vocab_size() < 60
    assert "<unk>" not in tokenizer.encode("hello, you").tokens


def test_the_vocabulary_keeps_its_limit_and_pads_with_zero():
    tokenizer = Tokenizer.from_str(train_tokenizer(TEXTS, 60))
    assert (tokenizer.get_vocab_size(), tokenizer.token_to_id("<pad>")) == (60, 0)


def test_unknown_letters_are_unknown_pieces():
    ids = np.array(Tokenizer.from_str(train_tokenizer([])).encode("日").ids)
    assert SPECIAL.index("<unk>") in ids
