"""ALBERT's first token, random or from a folder."""

import pytest
import torch

from mmer.edge.errors import DataError, SettingError
from mmer.training.text import TextSettings, text_encoder

TINY = TextSettings(60, 8, 16, 2, 2, 32, 40)


@torch.no_grad()
def test_padding_changes_nothing():
    encoder = text_encoder(TINY).eval()
    ids, mask = torch.randint(5, 60, (2, 9)), torch.ones(2, 9, dtype=torch.bool)
    mask[1, 4:] = False
    torch.testing.assert_close(encoder(ids, mask)[1:], encoder(ids[1:, :4]), atol=1e-5, rtol=0)


@torch.no_grad()
def test_weights_come_from_a_folder(tmp_path):
    encoder = text_encoder(TINY).eval()
    encoder.albert.save_pretrained(tmp_path)
    again = text_encoder(TINY, str(tmp_path)).eval()
    ids = torch.randint(5, 60, (1, 9))
    assert torch.equal(again(ids), encoder(ids))
    assert again.albert.config._attn_implementation == "eager"


@pytest.mark.parametrize("weights", ["/no/such/folder", "./folder", "a/b/c"])
def test_a_folder_that_is_not_there_is_not_looked_for_elsewhere(weights):
    with pytest.raises(SettingError, match="no such folder"):
        text_encoder(TINY, weights)


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be loaded"):
        text_encoder(TINY, str(tmp_path))


def test_weights_of_another_size_are_refused(tmp_path):
    text_encoder(TextSettings(60, 8, 32, 2, 2, 32, 40)).albert.save_pretrained(tmp_path)
    with pytest.raises(SettingError, match="hidden_size 32, the model 16"):
        text_encoder(TINY, str(tmp_path))
