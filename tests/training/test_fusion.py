"""Each modality asks, answers and votes; an absent one does none of it."""

import pytest
import torch

from mmer.training.attention import CrossAttention
from mmer.training.fusion import Fusion

SUBSETS = [(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)]


@pytest.fixture
def fusion():
    torch.manual_seed(0)
    pairs = ((6, 5), (5, 6), (7, 8), (7, 8))
    return Fusion(3, *(CrossAttention(pair, 8, 2, 0.1) for pair in pairs)).eval()


def modalities():
    return torch.randn(1, 4, 6), torch.randn(1, 3, 5), torch.randn(1, 7)


@torch.no_grad()
def test_all_present_is_the_published_form(fusion):
    video, audio, text = modalities()
    logits, _ = fusion(video, None, audio, None, text, torch.ones(1, 3))
    everyone = torch.ones(1)
    seen = fusion.video_audio(video, audio, None, everyone).mean(1)
    heard = fusion.audio_video(audio, video, None, everyone).mean(1)
    told = [
        block(text.unsqueeze(1), vector.unsqueeze(1), None, everyone).squeeze(1)
        for block, vector in ((fusion.text_video, seen), (fusion.text_audio, heard))
    ]
    answers = (seen, *told, heard)
    heads = torch.stack([head(x) for head, x in zip(fusion.heads, answers, strict=True)], 2)
    torch.testing.assert_close(logits, fusion.vote(heads).squeeze(2), atol=1e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("present", SUBSETS)
def test_weights_share_out_one_among_those_present(fusion, present):
    video, audio, text = modalities()
    _, weights = fusion(video, None, audio, None, text, torch.tensor([present]))
    assert weights.sum().item() == pytest.approx(1, abs=1e-6)
    assert (weights[0] > 0).tolist() == [bool(p) for p in present]


@torch.no_grad()
@pytest.mark.parametrize("present", SUBSETS[1:])
def test_what_is_absent_has_no_influence(fusion, present):
    here, absent = [], []
    for values, there in zip(modalities(), present, strict=True):
        here.append(values)
        absent.append(values if there else torch.full_like(values[:, :1], 9.0))
    mask = torch.tensor([present])
    logits, _ = fusion(here[0], None, here[1], None, here[2], mask)
    others, _ = fusion(absent[0], None, absent[1], None, here[2] if present[2] else here[2] * 5, mask)
    assert torch.equal(logits, others)


@torch.no_grad()
def test_of_audio_alone_one_head_remains_on_the_scale_of_four(fusion):
    video, audio, text = modalities()
    logits, _ = fusion(video, None, audio, None, text, torch.tensor([[0.0, 1.0, 0.0]]))
    block = fusion.audio_video
    alone = fusion.heads[3](block.norm(block.query(audio)).mean(1))
    torch.testing.assert_close(logits, 4 * fusion.vote.weight[0, 3] * alone, atol=1e-6, rtol=0)


@torch.no_grad()
def test_nothing_present_is_finite(fusion):
    video, audio, text = modalities()
    logits, weights = fusion(video, None, audio, None, text, torch.zeros(1, 3))
    assert (logits == 0).all()
    assert (weights == 0).all()
