"""A fused block is the trained one."""

import pytest
import torch
from torch import nn

from mmer.training.repvgg import RepVggBlock, fused


def trained(channels_in, channels_out):
    torch.manual_seed(0)
    block = RepVggBlock(channels_in, channels_out).eval()
    for norm in block.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.1, 2.0)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias)
    return block


@torch.no_grad()
@pytest.mark.parametrize("widths", [(32, 32), (32, 64)])
def test_one_convolution_equals_all_branches(widths):
    block, x = trained(*widths), torch.randn(2, 32, 12, 12)
    torch.testing.assert_close(block.fused()(x), block(x), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_whole_network_is_fused_in_a_copy():
    network = nn.Sequential(nn.Sequential(trained(4, 4)), trained(4, 8))
    x = torch.randn(1, 4, 6, 6)
    copy = fused(network)
    assert not any(isinstance(part, RepVggBlock) for part in copy.modules())
    assert isinstance(network[1], RepVggBlock)
    torch.testing.assert_close(copy(x), network(x), atol=1e-5, rtol=0)


def test_only_equal_widths_have_an_identity():
    assert RepVggBlock(4, 4).identity_norm is not None
    assert RepVggBlock(4, 8).identity_norm is None
