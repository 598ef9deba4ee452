import torch
from torch import nn

from mmer.export.fold import FoldedAttention, FrozenMixture, Trusting, chained, frozen, replaced
from mmer.training.attention import CrossAttention
from mmer.training.mixture import Mixture


def fitted(rows):
    mixture = Mixture(rows.shape[1], 4)
    mixture.fit(rows.numpy())
    return mixture


def test_a_folded_attention_answers_exactly_like_the_attention():
    torch.manual_seed(0)
    attention = CrossAttention((12, 20), 16, 4, 0.1).eval()
    for parameter in attention.parameters():
        nn.init.normal_(parameter)
    query, key, present = torch.randn(9, 12), torch.randn(9, 20), torch.tensor([1.0, 0.0, 1.0]).repeat(3)
    everywhere = attention.double()(query.double()[:, None], key.double()[:, None], None, present.double())[:, 0]
    folded = FoldedAttention(attention.float()).eval().double()
    torch.testing.assert_close(
        folded.alone(query.double(), key.double(), present.double()), everywhere, atol=2e-5, rtol=0
    )


def test_layers_in_a_row_become_one():
    torch.manual_seed(0)
    first, second = nn.Linear(5, 7), nn.Linear(7, 3)
    x = torch.randn(11, 5)
    torch.testing.assert_close(chained(first, second)(x), second(first(x)), atol=1e-6, rtol=0)


def test_a_frozen_mixture_trusts_like_the_mixture():
    torch.manual_seed(0)
    rows = torch.randn(400, 18).abs()
    mixture = fitted(rows)
    deltas = torch.randn(2, 6, 18).abs()
    assert isinstance(frozen(mixture), FrozenMixture)
    torch.testing.assert_close(frozen(mixture)(deltas), mixture(deltas), atol=1e-5, rtol=0)


def test_a_mixture_that_was_never_fitted_trusts_everything():
    mixture, deltas = Mixture(18, 4), torch.rand(1, 5, 18)
    assert isinstance(frozen(mixture), Trusting)
    assert torch.equal(frozen(mixture)(deltas), mixture(deltas))


def test_parts_give_way_in_a_copy_only():
    outer = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.ReLU()).train()
    copy = replaced(outer, nn.ReLU, lambda _: nn.Tanh())
    assert [type(m) for m in copy.modules()].count(nn.Tanh) == 2
    assert [type(m) for m in outer.modules()].count(nn.Tanh) == 0
    assert outer.training
    assert not copy.training
