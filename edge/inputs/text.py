"""From words to the token ids that a text encoder reads; the only file that imports `tokenizers`."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from mmer.edge.errors import BundleError
from mmer.edge.inputs.constants import within
from mmer.edge.inputs.padded import Padded

MAX_BYTES = 64 << 20
"""The largest `tokenizer.json` that is read; vocabularies of 250 000 pieces need about 17 MB."""

_CHARACTERS_PER_TOKEN = 1024  # what lies further on cannot reach the graph, and a book would take seconds


@dataclass(frozen=True, slots=True)
class TextInput:
    """How words are read. The defaults are those of `cafes` and `bixlstm`."""

    max_tokens: int = 100
    """Special tokens included."""
    pad_token: str = "<pad>"  # noqa: S105 - a token of the vocabulary

    def __post_init__(self) -> None:
        within("max_tokens", self.max_tokens, 1, 8192)


class Tokeniser:
    """The tokenizer of a bundle, set to a fixed length."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max_characters = max_tokens * _CHARACTERS_PER_TOKEN

    @classmethod
    def open(cls, path: Path, constants: TextInput) -> "Tokeniser":
        """Read a `tokenizer.json`; raise `BundleError` when it is missing, corrupt or does not fit the constants."""
        return cls.decoded(_content(path), constants, path)

    @classmethod
    def decoded(cls, content: bytes, constants: TextInput, path: str | os.PathLike[str]) -> "Tokeniser":
        """Return the tokenizer in the content of a `tokenizer.json`; `path` is the file to name in a `BundleError`."""
        try:
            tokenizer = Tokenizer.from_buffer(content)
        except ValueError as error:
            raise BundleError(path, str(error)) from error
        pad_id = tokenizer.token_to_id(constants.pad_token)
        if pad_id is None:
            raise BundleError(path, f"there is no token {constants.pad_token!r} to pad with")
        # `tokenizers` does not truncate at all when the special tokens alone are too long
        if (special := tokenizer.num_special_tokens_to_add(is_pair=False)) >= constants.max_tokens:
            raise BundleError(path, f"max_tokens is {constants.max_tokens} and {special} of them are special tokens")
        tokenizer.enable_truncation(constants.max_tokens)
        tokenizer.enable_padding(length=constants.max_tokens, pad_id=pad_id, pad_token=constants.pad_token)
        return cls(tokenizer, constants.max_tokens)

    def arrays(self, text: str) -> Padded[np.int64] | None:
        """Return ids and mask `[L]` with `L = max_tokens`, or `None` when nothing is said."""
        # a lone surrogate, which a damaged subtitle file can bring, is not text to `tokenizers`
        readable = text[: self._max_characters].encode("utf-8", "replace").decode()
        encoding = self._tokenizer.encode(readable)
        if not readable.strip() or all(encoding.special_tokens_mask):
            return None
        return Padded(np.array(encoding.ids, np.int64), np.array(encoding.attention_mask, np.bool_))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BundleError(path, f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise BundleError(path, f"larger than {MAX_BYTES >> 20} MiB")
    return content
