import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "backbone_models"]:
        del sys.modules[name]


@pytest.fixture
def audio():
    """The smallest backbone, cut to one recurrent layer, with sounds that it was made to tell apart."""
    from backbone_models.materials import Materials
    from backbone_models.size import Size
    from backbone_models.zoo import BACKBONES, built

    backbone = BACKBONES["cnn-bigru"]
    size = Size(1)
    sounds = backbone.draw(Materials(None), 4, size)
    return backbone, built(backbone, size, sounds), sounds


def varied(rows):
    centred = rows - rows.mean(0)
    return float(np.square(centred).sum() / np.square(rows).sum())


def test_answers_vary_and_survive_coarse_numbers(audio):
    from backbone_models.yardstick import in_bfloat16
    from backbone_models.zoo import tensors

    _, model, sounds = audio
    with torch.inference_mode():
        rows = np.concatenate([model(*tensors(sound))[0].numpy() for sound in sounds])
    assert varied(rows) > 0.1
    assert in_bfloat16(model, sounds) > 0.99


def test_a_layer_that_attends_answers_what_differs():
    from backbone_models.lively import attend

    torch.manual_seed(0)
    layer, common = nn.Linear(64, 32, bias=False), 10 * torch.randn(1, 64)
    inputs = [(common + torch.randn(1, 64),) for _ in range(16)]

    def answers():
        with torch.inference_mode():
            return np.concatenate([layer(*given).numpy() for given in inputs])

    before = varied(answers())
    attend(nn.Sequential(layer), layer, inputs)
    assert varied(answers()) > 3 * before


def test_what_multiplies_loud_channels_makes_them_good():
    from backbone_models.lively import Liveliness
    from backbone_models.outliers import uneven
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 2}
    model = BertModel(BertConfig(vocab_size=50, **sizes), add_pooling_layer=False)
    uneven(model, Liveliness(1.0, 1.0, 0.02), seed=3)
    first, last = model.encoder.layer
    loud = first.attention.output.LayerNorm.weight.abs() > 8
    assert loud.sum() == 3
    assert torch.equal(first.output.LayerNorm.weight.abs() > 8, loud)
    assert last.output.LayerNorm.weight.abs().max() < 8
    for reader in (first.intermediate.dense, last.attention.self.query):
        assert reader.weight[:, loud].std() < 0.1 * reader.weight[:, ~loud].std()


def test_a_small_backbone_is_the_same_for_the_same_seed_and_another_for_another():
    from backbone_models.small import small

    first, again, other = (small("cnn-bigru", seed, samples=2, fresh=1) for seed in (0, 0, 1))
    assert first.content == again.content != other.content
    assert (len(first.inputs), len(first.fresh)) == (2, 1)
    np.testing.assert_array_equal(first.fresh[0]["samples"], again.fresh[0]["samples"])


def test_made_inputs_are_equal_for_equal_seeds_and_differ_among_each_other():
    from backbone_models.materials import Materials

    faces, again = (Materials(None, seed=3).faces(3, 32) for _ in range(2))
    assert [face.shape for face in faces] == [(1, 3, 32, 32)] * 3
    np.testing.assert_array_equal(faces[0], again[0])
    assert np.abs(faces[0] - faces[1]).mean() > 0.1


def test_token_ids_stay_inside_the_vocabulary_and_few_make_up_most():
    from backbone_models.materials import Materials

    sentences = Materials(None).sentences(50, 30_000, 64)
    assert all(sentence[0, 0] == 101 and sentence[0, -1] == 102 for sentence in sentences)
    assert max(sentence.shape[1] for sentence in sentences) <= 64
    words = np.concatenate([sentence[0, 1:-1] for sentence in sentences])
    assert 1000 <= words.min() <= words.max() < 30_000
    assert (words < 2000).mean() > 0.5


def test_an_exported_backbone_takes_any_length_and_agrees_everywhere(audio, tmp_path):
    pytest.importorskip("openvino")
    from backbone_models.judged import expected, judged
    from backbone_models.zoo import exported, tensors

    backbone, model, sounds = audio
    path = tmp_path / "float.onnx"
    path.write_bytes(exported(backbone, model, sounds[0]).SerializeToString())
    rows = expected(path, sounds[1:])
    with torch.inference_mode():
        torchs = np.concatenate([model(*tensors(sound))[0].numpy() for sound in sounds[1:]])
    np.testing.assert_allclose(next(iter(rows.values())), torchs, atol=1e-3)
    found = judged(path, rows, sounds[1:])
    assert found.agrees
    assert min(found.centred.values()) > 0.9999


def test_a_form_that_is_not_close_enough_or_not_there_is_a_fault():
    from backbone_models.judged import Cosines
    from backbone_models.made import Made
    from backbone_models.table import Row

    levels = dict.fromkeys(("disabled", "basic", "extended", "all"), 0.998)
    close = Cosines(levels, 1.0, 0.998, 1.0)
    assert Row("g", Made("ours", None), close, {}, 0.995).fault is None
    assert Row("g", Made("ours", None), close, {}, 0.999).fault == "centred cosine 0.9980 < 0.999"
    assert Row("g", Made("ours", None), Cosines(levels, 0.5, 0.998, 1.0), {}, 0.9).fault is not None
    assert Row("g", Made("ours", None), None, {}, 0.9).fault == "there is none"
    assert Row("g", Made("nncf", None), None, {}, None).fault is None


def test_a_maker_that_cannot_run_says_why(tmp_path):
    from backbone_models.made import make

    assert make("nncf", tmp_path, None).note == "not run: name --nncf-python"
    assert make("ort-dynamic", tmp_path, None).note.startswith("failed: ")
