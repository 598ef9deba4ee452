"""Attention in explicit matrix products: exportable, padded keys masked by adding, never by a boolean."""

import math

import torch
from torch import Tensor, nn

from mmer.training.dropout import Dropout

_MASKED = -1e9  # its exponential is exactly 0, and a row masked throughout stays finite where -inf gives NaN


def masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean `[B, D]` of the valid steps of `[B, T, D]`, 0 where none is valid."""
    if mask is None:
        return values.mean(1)
    valid = mask.unsqueeze(2).to(values.dtype)
    return (values * valid).sum(1) / valid.sum(1).clamp(min=1.0)


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention in parallel heads, initialised as `torch.nn.MultiheadAttention`."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)
        for projection in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(projection.weight, gain=math.sqrt(0.5))  # torch draws q, k and v as one matrix
            nn.init.zeros_(projection.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, Q, D]` for queries `[B, Q, D]`, keys and values `[B, T, D]` and the keys' mask `[B, T]`."""
        q, k, v = (self._split(p) for p in (self.query(query), self.key(key), self.value(value)))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
        if mask is not None:
            scores = scores + (~mask)[:, None, None, :].to(torch.float32) * _MASKED
        attended = self.dropout(scores.softmax(3)).to(v.dtype) @ v
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out

    def alone(self, value: Tensor) -> Tensor:
        """Return what attention to a single key gives, exactly: its softmax is 1 whatever is asked."""
        out: Tensor = self.out(self.value(value))
        return out

    def _split(self, projected: Tensor) -> Tensor:
        batch, steps, width = projected.shape
        return projected.reshape(batch, steps, self.heads, width // self.heads).transpose(1, 2)


class TransformerLayer(nn.Module):
    """Post-norm encoder layer with ReLU, as `torch.nn.TransformerEncoderLayer` was in torch 1.8."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, dropout)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.attention_norm = nn.LayerNorm(width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, T, D]` for `[B, T, D]` and a mask `[B, T]`."""
        x = self.attention_norm(x + self.dropout(self.attention(x, x, x, mask)))
        hidden = self.dropout(self.widen(x).relu())
        out: Tensor = self.norm(x + self.dropout(self.narrow(hidden)))
        return out


class CrossAttention(nn.Module):
    """One modality asks another; an absent one answers 0, and the projected query alone remains."""

    def __init__(self, widths: tuple[int, int], width: int, heads: int, dropout: float) -> None:
        """Take the widths of query and key, and the common width that both are projected to."""
        super().__init__()
        query, key = widths
        self.query = nn.Linear(query, width)
        self.key = nn.Linear(key, width)
        self.value = nn.Linear(key, width)
        self.attention = MultiHeadAttention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, query: Tensor, key: Tensor, mask: Tensor | None, present: Tensor) -> Tensor:
        """Return `[B, Q, E]` for `[B, Q, *]`, keys `[B, T, *]`, their mask and whether they are present, `[B]`."""
        asked = self.query(query)
        attended = self.attention(asked, self.key(key), self.value(key), mask)
        out: Tensor = self.norm(asked + self.dropout(attended) * present[:, None, None])
        return out

    def alone(self, query: Tensor, key: Tensor, present: Tensor) -> Tensor:
        """Return `[B, E]` for one query and one key per sample; neither selects anything here."""
        attended = self.attention.alone(self.value(key))
        out: Tensor = self.norm(self.query(query) + self.dropout(attended) * present[:, None])
        return out
