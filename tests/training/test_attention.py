"""Attention in explicit products is torch's own, and padded keys have no part in it."""

import pytest
import torch
from torch import nn

from mmer.training.attention import CrossAttention, MultiHeadAttention, TransformerLayer, masked_mean

PADDED = torch.tensor([[True] * 5, [True, True, False, False, False]])


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_attention_is_that_of_torch():
    ours, theirs = MultiHeadAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.in_proj_weight.copy_(torch.cat([p.weight for p in (ours.query, ours.key, ours.value)]))
    theirs.out_proj.weight.copy_(ours.out.weight)
    query, key = draw(2, 3, 8), draw(2, 5, 8)
    expected, _ = theirs(query, key, key, key_padding_mask=~PADDED)
    torch.testing.assert_close(ours(query, key, key, PADDED), expected, atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_transformer_layer_is_that_of_torch():
    ours = TransformerLayer(8, 2, 16, 0.1).eval()
    theirs = nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True).eval()
    attention = ours.attention
    theirs.self_attn.in_proj_weight.copy_(
        torch.cat([p.weight for p in (attention.query, attention.key, attention.value)])
    )
    theirs.self_attn.out_proj.load_state_dict(attention.out.state_dict())
    theirs.linear1.load_state_dict(ours.widen.state_dict())
    theirs.linear2.load_state_dict(ours.narrow.state_dict())
    x = draw(2, 5, 8)
    expected = theirs(x, src_key_padding_mask=~PADDED)
    torch.testing.assert_close(ours(x, PADDED)[PADDED], expected[PADDED], atol=1e-6, rtol=0)


def test_keys_masked_throughout_give_finite_values():
    attention, x = MultiHeadAttention(8, 2), draw(1, 5, 8)
    assert attention(x, x, x, torch.zeros(1, 5, dtype=torch.bool)).isfinite().all()


def test_attention_to_one_key_needs_no_softmax():
    block = CrossAttention((6, 8), 8, 2, 0.0)
    query, key, present = draw(3, 6), draw(3, 8), torch.tensor([1.0, 0.0, 1.0])
    whole = block(query.unsqueeze(1), key.unsqueeze(1), None, present).squeeze(1)
    torch.testing.assert_close(block.alone(query, key, present), whole, atol=1e-6, rtol=0)


def test_of_an_absent_key_the_projected_query_remains():
    block = CrossAttention((6, 8), 8, 2, 0.0)
    query = draw(1, 4, 6)
    answer = block(query, draw(1, 5, 8), None, torch.zeros(1))
    torch.testing.assert_close(answer, block.norm(block.query(query)))


@pytest.mark.parametrize(("mask", "mean"), [(None, 3.0), ([True, True, False], 1.5), ([False] * 3, 0.0)])
def test_a_mean_counts_valid_steps(mask, mean):
    values = torch.tensor([[[1.0], [2.0], [6.0]]])
    assert masked_mean(values, None if mask is None else torch.tensor([mask])).item() == mean
