"""From token ids to the vector of a sentence: ALBERT through transformers, or phrases (docs/cafes.md 4)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AlbertConfig, AlbertModel, AutoTokenizer, PreTrainedTokenizerFast

from mmer.edge.errors import DataError, MediaNotFoundError, SettingError
from mmer.edge.inputs.constants import among, within
from mmer.training.phrases import PhraseEncoder, PhraseSettings
from mmer.training.ranks import joined
from mmer.training.settings import divides

_LOADING = (OSError, ValueError, RuntimeError, ImportError)  # what transformers raises for what it cannot load
_KEPT = (
    "hidden_act",
    "layer_norm_eps",
    "position_embedding_type",
    "num_hidden_groups",
    "inner_group_num",
    "type_vocab_size",
)
"""Of ALBERT's configuration, beside the sizes: a checkpoint does not carry them, so they must be the usual ones."""


KINDS = ("albert", "phrases")


@dataclass(frozen=True, slots=True)
class TextSettings:
    """Sizes of ALBERT, named as in its `config.json`; the defaults are those of albert-base-v2."""

    vocab_size: int = 30_000
    """That of the tokenizer."""
    embedding_size: int = 128
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    kind: str = "albert"
    """One of `KINDS`; `phrases` has the first three sizes alone, and its own."""
    phrases: PhraseSettings = field(default_factory=PhraseSettings)

    def __post_init__(self) -> None:
        for name, size in self.albert().items():
            within(f"text.{name}", size, 1, 1 << 20)
        among("text.kind", self.kind, KINDS)
        within("text.num_hidden_layers", self.num_hidden_layers, 1, 64)
        if self.kind == "albert":
            divides("text.num_attention_heads", self.num_attention_heads, self.hidden_size)

    def albert(self) -> dict[str, int]:
        """Return the sizes of ALBERT by name."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


class TextEncoder(nn.Module):
    """The text branch. ALBERT's own pooler belongs to its weights and is not read."""

    def __init__(self, albert: AlbertModel) -> None:
        super().__init__()
        self.albert = albert

    @property
    def vocabulary(self) -> int:
        """How many token ids there are."""
        count: int = self.albert.config.vocab_size
        return count

    def table(self) -> nn.Module:
        """Return the vectors of the tokens."""
        return self.albert.get_input_embeddings()

    def segments(self) -> Sequence[nn.Module]:
        """Return what may be computed again instead of being kept for the gradients."""
        groups = self.albert.encoder.albert_layer_groups
        return tuple(groups)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, H]`, the last hidden state at the first token, for ids and mask `[B, L]`."""
        if joined() and not len(ids):  # a rank whose share has no words: ALBERT cannot reshape nothing
            return self.albert.embeddings.word_embeddings.weight.new_zeros(0, self.albert.config.hidden_size)
        mask = torch.ones_like(ids) if mask is None else mask
        hidden: Tensor = self.albert(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden[:, 0]


def text_encoder(settings: TextSettings, weights: str | None = None) -> TextEncoder | PhraseEncoder:
    """Return the branch of given sizes, random or with the weights of a folder or, over the network, a hub id."""
    if settings.kind == "albert":
        return albert_encoder(settings, weights)
    if weights is not None:
        raise SettingError(f"text weights {weights!r} are ALBERT's, and text.kind is {settings.kind}; take none")
    embedding = nn.Embedding(settings.vocab_size, settings.embedding_size)
    return PhraseEncoder(embedding, settings.hidden_size, settings.phrases)


def albert_encoder(settings: TextSettings, weights: str | None = None) -> TextEncoder:
    """Return ALBERT of given sizes."""
    # eager attention is plain matrix products, which every exporter and every quantiser knows
    config = AlbertConfig(**settings.albert(), attn_implementation="eager")  # type: ignore[no-untyped-call]
    return TextEncoder(AlbertModel(config) if weights is None else _pretrained(config, weights))


def pretrained_tokenizer(weights: str) -> str:
    """Return the text of the `tokenizer.json` that belongs to weights; asks the network only for a hub id."""
    if _is_folder(weights):
        path = Path(weights) / "tokenizer.json"
        if not path.is_file():
            raise MediaNotFoundError(path)
        try:
            return str(Tokenizer.from_buffer(path.read_bytes()).to_str())
        except (OSError, ValueError) as error:
            raise _unusable(weights, error) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights)  # type: ignore[no-untyped-call]
    except _LOADING as error:
        raise _unusable(weights, error) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise DataError(f"text weights {weights!r} bring no tokenizer.json; name others, a folder or none")
    return str(tokenizer.backend_tokenizer.to_str())


def _pretrained(wanted: AlbertConfig, weights: str) -> AlbertModel:
    folder = _is_folder(weights)
    try:
        albert = AlbertModel.from_pretrained(
            weights, use_safetensors=True, local_files_only=folder, attn_implementation="eager"
        )
    except _LOADING as error:
        raise _unusable(weights, error) from error
    assert isinstance(albert, AlbertModel)
    for name in (*TextSettings().albert(), *_KEPT):
        found, ours = getattr(albert.config, name, None), getattr(wanted, name, None)
        if found != ours:
            raise SettingError(f"text weights {weights!r} have {name} {found}, the model {ours}; use another preset")
    return albert


def _is_folder(weights: str) -> bool:
    """Say whether it is a folder or a hub id; raise `SettingError` for a path where no folder is."""
    if Path(weights).is_dir():
        return True
    if not weights or weights.startswith((".", "/", "~")) or weights.count("/") > 1:
        raise SettingError(f"text weights {weights!r}: no such folder; name a folder, a hub id or none")
    return False


def _unusable(weights: str, error: Exception) -> DataError:
    reason = str(error).strip().partition("\n")[0]
    return DataError(f"text weights {weights!r} cannot be loaded ({reason}); name a folder, a hub id or none")
