"""From token ids to the vector of a sentence: ALBERT through transformers (docs/cafes.md 4)."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AlbertConfig, AlbertModel

from mmer.edge.errors import DataError, SettingError


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


class TextEncoder(nn.Module):
    """The text branch. ALBERT's own pooler belongs to its weights and is not read."""

    def __init__(self, albert: AlbertModel) -> None:
        super().__init__()
        self.albert = albert

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, H]`, the last hidden state at the first token, for ids and mask `[B, L]`."""
        mask = torch.ones_like(ids) if mask is None else mask
        hidden: Tensor = self.albert(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden[:, 0]


def text_encoder(settings: TextSettings, weights: str | None = None) -> TextEncoder:
    """Return the branch of given sizes, random or with the weights of a folder or, over the network, a hub id."""
    # eager attention is plain matrix products, which every exporter and every quantiser knows
    config = AlbertConfig(**asdict(settings), attn_implementation="eager")  # type: ignore[no-untyped-call]
    return TextEncoder(AlbertModel(config) if weights is None else _pretrained(settings, weights))


def _pretrained(settings: TextSettings, weights: str) -> AlbertModel:
    folder = Path(weights).is_dir()
    if not folder and (weights.startswith((".", "/", "~")) or weights.count("/") > 1):
        raise SettingError(f"text weights {weights!r}: no such folder; name a folder, a hub id or none")
    try:
        albert = AlbertModel.from_pretrained(
            weights, use_safetensors=True, local_files_only=folder, attn_implementation="eager"
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(
            f"text weights {weights!r} cannot be loaded ({reason}); name a folder, a hub id or none"
        ) from error
    assert isinstance(albert, AlbertModel)
    for name, wanted in asdict(settings).items():
        if (found := getattr(albert.config, name)) != wanted:
            raise SettingError(f"text weights {weights!r} have {name} {found}, the model {wanted}; use another preset")
    return albert
