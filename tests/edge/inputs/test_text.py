"""Ids against those of `tokenizers` itself, with tokenizers trained here."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from mmer.edge.errors import BundleError, SettingError
from mmer.edge.inputs import text as module
from mmer.edge.inputs.text import TextInput, Tokeniser

SPECIAL = ["<unk>", "<pad>", "[CLS]", "[SEP]"]
LINES = ["the cat sat on the mat", "I am so happy today!", "nobody knows, why not?", "año niño über straße"] * 20


def unigram() -> Tokenizer:
    """As ALBERT: Unigram over words marked by a bar."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def bpe() -> Tokenizer:
    """As RoBERTa: byte pairs, so that nothing is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


@pytest.fixture(params=[unigram, bpe], ids=["unigram", "bpe"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    tokenizer = request.param()
    marks = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


@pytest.mark.parametrize(
    "said",
    [
        "the cat",
        "I am\nso happy",
        "año über",
        "😀 👩‍👩‍👧 cat",
        "ﬁne Ⅷ",
        "猫はマットの上",
        "\u202eabc",
        "the cat sat " * 5_000,
    ],
)
def test_ids_equal_those_of_tokenizers(path: Path, said: str) -> None:
    library = Tokenizer.from_file(str(path))
    library.enable_truncation(100)
    library.enable_padding(length=100, pad_id=1, pad_token="<pad>")
    got = Tokeniser.open(path, TextInput()).arrays(said)
    assert got is not None
    assert got.values.tolist() == library.encode(said).ids


def test_masked_ids_of_a_short_text_are_its_ids_without_padding(path: Path) -> None:
    got = Tokeniser.open(path, TextInput()).arrays("the cat")
    assert got is not None
    assert got.values[got.mask].tolist() == Tokenizer.from_file(str(path)).encode("the cat").ids


def test_a_cut_text_keeps_its_special_tokens(path: Path) -> None:
    got = Tokeniser.open(path, TextInput(max_tokens=5)).arrays("the cat sat on the mat")
    assert got is not None
    assert (got.values[0], got.values[-1], got.mask.all()) == (2, 3, True)


def test_ids_and_mask_have_the_length_and_types_of_the_graph(path: Path) -> None:
    got = Tokeniser.open(path, TextInput()).arrays("cat")
    assert got is not None
    assert (got.values.shape, got.values.dtype, got.mask.dtype) == ((100,), np.int64, np.bool_)


def test_settings_stored_in_the_file_do_not_count(path: Path) -> None:
    plain = Tokeniser.open(path, TextInput()).arrays("the cat")
    stored = Tokenizer.from_file(str(path))
    stored.enable_truncation(3)
    stored.enable_padding(direction="left", pad_to_multiple_of=7)
    stored.save(str(path))
    again = Tokeniser.open(path, TextInput()).arrays("the cat")
    assert plain is not None
    assert again is not None
    np.testing.assert_array_equal(again.values, plain.values)


@pytest.mark.parametrize("said", ["", " ", "\n\t\u3000"])
def test_nothing_said_is_no_text(path: Path, said: str) -> None:
    assert Tokeniser.open(path, TextInput()).arrays(said) is None


def test_text_that_the_tokenizer_drops_entirely_is_no_text(path: Path) -> None:
    dropping = Tokenizer.from_file(str(path))
    dropping.normalizer = normalizers.Replace("\u200b", "")
    dropping.pre_tokenizer = pre_tokenizers.Whitespace()
    dropping.save(str(path))
    assert Tokeniser.open(path, TextInput()).arrays("\u200b") is None


def test_a_lone_surrogate_is_read_as_a_question_mark(path: Path) -> None:
    tokeniser = Tokeniser.open(path, TextInput())
    got, wanted = tokeniser.arrays("cat \ud800"), tokeniser.arrays("cat ?")
    assert got is not None
    assert wanted is not None
    np.testing.assert_array_equal(got.values, wanted.values)


def test_a_missing_file_is_a_broken_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No such file"):
        Tokeniser.open(tmp_path / "tokenizer.json", TextInput())


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"model": {"type": "Nope"}}'])
def test_a_corrupt_file_is_a_broken_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(BundleError, match="Cannot instantiate Tokenizer"):
        Tokeniser.open(tmp_path / "tokenizer.json", TextInput())


def test_a_cut_off_file_is_a_broken_bundle(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BundleError):
        Tokeniser.open(path, TextInput())


def test_a_huge_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(BundleError, match="larger than"):
        Tokeniser.open(path, TextInput())


def test_an_unknown_padding_token_is_refused(path: Path) -> None:
    with pytest.raises(BundleError, match=r"no token '\[PAD\]'"):
        Tokeniser.open(path, TextInput(pad_token="[PAD]"))


def test_a_length_that_the_special_tokens_fill_is_refused(path: Path) -> None:
    with pytest.raises(BundleError, match="2 of them are special"):
        Tokeniser.open(path, TextInput(max_tokens=2))


def test_an_impossible_length_is_refused() -> None:
    with pytest.raises(SettingError, match="max_tokens"):
        TextInput(max_tokens=0)
