"""ALBERT's first token, random or from a folder."""

import json
import os
import subprocess
import sys

import pytest
import torch
from transformers import AlbertModel

from mmer.edge.errors import DataError, SettingError
from mmer.training.text import TextSettings, pretrained_tokenizer, text_encoder
from mmer.training.tokenizer import train_tokenizer
from mmer.training.train import TrainSettings, untrained
from mmer.training.zoo import ZOO

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


def test_weights_with_another_activation_are_refused(tmp_path):
    albert = text_encoder(TINY).albert
    albert.config.hidden_act = "relu"
    albert.save_pretrained(tmp_path)
    with pytest.raises(SettingError, match="hidden_act relu, the model gelu_new"):
        text_encoder(TINY, str(tmp_path))


@pytest.fixture
def folder(tmp_path):
    """A folder with weights of the preset `tiny` and their tokenizer."""
    text_encoder(ZOO["cafes"].presets["tiny"].text).albert.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(train_tokenizer(["I am so happy"], 60))
    return tmp_path


def test_a_model_starts_from_the_weights_and_the_tokenizer_of_a_folder(folder):
    made = untrained(TrainSettings(("happy", "sad"), preset="tiny", text_weights=str(folder)), [])
    loaded = AlbertModel.from_pretrained(folder).embeddings.word_embeddings.weight
    assert torch.equal(made.model.text.albert.embeddings.word_embeddings.weight, loaded)
    assert json.loads(made.tokenizer) == json.loads((folder / "tokenizer.json").read_text())


def test_a_tokenizer_that_is_damaged_is_refused(folder):
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(DataError, match="cannot be loaded"):
        pretrained_tokenizer(str(folder))


def test_a_tokenizer_with_more_pieces_than_the_model_is_refused(folder):
    (folder / "tokenizer.json").write_text(train_tokenizer([f"word{n} {n * n}" for n in range(999)], 999))
    with pytest.raises(SettingError, match="999 pieces, the model 400"):
        untrained(TrainSettings(("happy", "sad"), preset="tiny", text_weights=str(folder)), [])


def test_a_hub_id_without_a_network_is_told_in_a_line(tmp_path):
    code = "import sys\nfrom mmer.training.text import pretrained_tokenizer\npretrained_tokenizer('someone/albert')"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("mmer.edge.errors.DataError: text weights 'someone/albert' cannot be loaded")
