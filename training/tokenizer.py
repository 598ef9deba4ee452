"""A tokenizer made from a corpus's own words, for text encoders that come without one."""

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from mmer.edge.inputs.text import TextInput, Tokeniser

SPECIAL = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
"""In ALBERT's order: their ids are 0 to 4."""
UNKNOWN = SPECIAL.index("<unk>")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789'.,!?-"
_QUOTES = {
    "[\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}`\N{ACUTE ACCENT}]": "'",
    "[\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}]": '"',
}
"""Who types and who typesets say the same."""
_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""Stands before every word, as in SentencePiece."""


def train_tokenizer(texts: Iterable[str], vocabulary: int = 2000) -> str:
    """Return the text of a `tokenizer.json`: byte-pair pieces of lower-case words, plain quotes, `[CLS] words [SEP]`.

    Equal texts, in any order, give equal tokenizers. Without any text the pieces are letters.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[UNKNOWN]))
    quotes = [normalizers.Replace(Regex(typeset), typed) for typeset, typed in _QUOTES.items()]
    tokenizer.normalizer = normalizers.Sequence(
        [*quotes, normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(_SPACE), pre_tokenizers.Punctuation()])
    tokenizer.decoder = decoders.Metaspace(_SPACE)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=[_SPACE, *_LETTERS],
        show_progress=False,
    )
    tokenizer.train_from_iterator(sorted(texts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, sort_keys=True)


def tokeniser(text: str, constants: TextInput) -> Tokeniser:
    """Return the runtime's tokeniser of the text of a `tokenizer.json`."""
    return Tokeniser.decoded(text.encode(), constants, "tokenizer.json")
