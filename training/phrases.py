"""From token ids to the vector of a line by the phrases in it: for lines too few to teach a transformer with."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmer.edge.inputs.constants import within
from mmer.training.attention import masked_mean
from mmer.training.dropout import Dropout


@dataclass(frozen=True, slots=True)
class PhraseSettings:
    """Sizes beside those of the vocabulary, the embedding and the line's vector."""

    longest: int = 3
    """Tokens in a phrase; there are detectors for every length up to it."""
    detectors: int = 96
    """Of each length."""
    token_dropout: float = 0.3
    """Share of the embeddings' values that training leaves out."""
    dropout: float = 0.4
    """The same of what was found in a line, before and after its projection."""

    def __post_init__(self) -> None:
        within("text.phrases.longest", self.longest, 1, 16)
        within("text.phrases.detectors", self.detectors, 1, 1 << 16)
        within("text.phrases.token_dropout", self.token_dropout, 0.0, 1.0)
        within("text.phrases.dropout", self.dropout, 0.0, 1.0)


_SPREAD = 0.1  # of embeddings that nothing normalises before they are read


class PhraseEncoder(nn.Module):
    """The text branch as detectors of phrases (Kim 2014), each heard where it is loudest, beside the mean token."""

    def __init__(self, embedding: nn.Embedding, width: int, settings: PhraseSettings) -> None:
        super().__init__()
        self.embedding = embedding
        nn.init.normal_(embedding.weight, std=_SPREAD)
        self.detect = nn.ModuleList(
            nn.Conv1d(embedding.embedding_dim, settings.detectors, length, padding=length - 1)
            for length in range(1, settings.longest + 1)
        )
        found = embedding.embedding_dim + settings.longest * settings.detectors
        self.norm = nn.LayerNorm(found)
        self.project = nn.Linear(found, width)
        self.token_dropout = Dropout(settings.token_dropout)
        self.dropout = Dropout(settings.dropout)

    @property
    def vocabulary(self) -> int:
        """How many token ids there are."""
        return self.embedding.num_embeddings

    def table(self) -> nn.Module:
        """Return the vectors of the tokens."""
        return self.embedding

    def segments(self) -> Sequence[nn.Module]:
        """Return what may be computed again instead of being kept for the gradients: nothing is worth it."""
        return ()

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, H]` for ids and mask `[B, L]`."""
        valid = torch.ones_like(ids) if mask is None else mask
        tokens = self.token_dropout(self.embedding(ids))
        spoken = valid.unsqueeze(1).to(tokens.dtype)
        line = tokens.transpose(1, 2) * spoken
        loudest = [_loudest(detect, line, spoken) for detect in self.detect]
        found = self.norm(torch.cat([masked_mean(tokens, valid), *loudest], 1))
        vector: Tensor = self.dropout(functional.gelu(self.project(self.dropout(found))))
        return vector


def _loudest(detect: nn.Module, line: Tensor, spoken: Tensor) -> Tensor:
    """Return the most `[B, F]` that detectors find at any spoken token of `[B, E, L]`, with silence behind the last."""
    assert isinstance(detect, nn.Conv1d)
    heard = detect(line)[:, :, detect.kernel_size[0] - 1 :].relu() * spoken  # from the first token on
    return functional.adaptive_max_pool1d(heard, 1).squeeze(2)
