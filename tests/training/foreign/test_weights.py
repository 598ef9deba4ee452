"""The authors' weights give our model their answers."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file

from mmer.edge.errors import SettingError
from mmer.training.batch import Batch
from mmer.training.checkpoint import Checkpoint
from mmer.training.foreign.report import import_json, import_lines
from mmer.training.foreign.tensors import ForeignFileError
from mmer.training.foreign.weights import MissingWeightsError, Wanted, import_weights

TINY = Wanted("cafes", "tiny")


@pytest.fixture
def saved(tmp_path):
    """Save something as the authors do."""

    def save(content):
        torch.save(content, tmp_path / "model.pth")
        return tmp_path / "model.pth"

    return save


def inputs():
    generator = torch.Generator().manual_seed(3)
    faces = torch.randn(2, 3, 3, 48, 48, generator=generator)
    return faces, torch.randn(2, 4000, generator=generator), torch.randint(5, 400, (2, 6), generator=generator)


@torch.no_grad()
def answers(checkpoint, faces, samples, ids):
    masks = [torch.ones(x.shape[:2], dtype=torch.bool) for x in (faces, samples, ids)]
    return checkpoint.model(
        Batch(faces, masks[0], samples, masks[1], ids, masks[2], torch.ones(2, 3, dtype=torch.bool))
    ).logits


@torch.no_grad()
@pytest.mark.parametrize("deployed", [False, True])
def test_our_model_answers_as_the_authors(authors, saved, deployed):
    theirs = authors("tiny", deployed=deployed)
    imported = import_weights(saved(theirs.state_dict()), Wanted("cafes", "tiny"))
    imported.require()
    assert (imported.unmapped, imported.missing, imported.misshapen) == ((), (), ())
    wanted = theirs(*inputs())
    assert wanted.std() > 1e-3
    torch.testing.assert_close(answers(imported.checkpoint, *inputs()), wanted, atol=2e-5, rtol=1e-4)


def test_every_one_of_our_parameters_comes_from_the_file(authors, saved):
    theirs = authors()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.fill_(0.125)
    model = import_weights(saved(theirs.state_dict()), TINY).checkpoint.model
    assert [name for name, p in model.named_parameters() if not torch.equal(p, torch.full_like(p, 0.125))] == []


@pytest.mark.parametrize("nest", ["state_dict", "model", "model_state_dict"])
def test_a_state_dict_may_lie_deeper_and_come_from_several_devices(authors, saved, nest):
    state = {f"module.{name}": value for name, value in authors().state_dict().items()}
    imported = import_weights(saved({"epoch": 6, nest: state, "optimizer": {"state": {}, "lr": 1.0}}), TINY)
    assert (imported.missing, imported.unmapped) == ((), ())


def test_safetensors_are_read_too(authors, tmp_path):
    save_file(authors().state_dict(), tmp_path / "model.safetensors")
    assert import_weights(tmp_path / "model.safetensors", TINY).usable


def test_half_precision_is_widened(authors, saved):
    imported = import_weights(saved(authors().half().state_dict()), TINY)
    assert all(p.dtype == torch.float32 for p in imported.checkpoint.model.parameters())


def test_the_checkpoint_comes_back_and_says_where_it_is_from(authors, saved, tmp_path):
    path = saved(authors().state_dict())
    import_weights(path, TINY).checkpoint.save(tmp_path / "checkpoint")
    facts = Checkpoint.open(tmp_path / "checkpoint").facts
    record = facts.provenance["import"]
    assert facts.labels == ("anger", "happy", "neutral", "sad")
    assert (record["file"], record["sha256"]) == ("model.pth", hashlib.sha256(path.read_bytes()).hexdigest())
    assert "InesJemmali" in record["names"]


def test_the_mixture_is_left_for_training_to_fit(authors, saved):
    imported = import_weights(saved(authors().state_dict()), TINY)
    assert not imported.checkpoint.model.audio.confidence.view.mixture.fitted
    assert any("mmer train cafes --from" in line for line in import_lines(imported, imported.path))


def test_a_missing_parameter_is_named_and_refused(authors, saved):
    state = authors().state_dict()
    del state["A.fc1.weight"]
    imported = import_weights(saved(state), TINY)
    assert imported.missing == ("audio.project.weight",)
    with pytest.raises(MissingWeightsError, match="1 parameter"):
        imported.require()


def test_what_may_be_missing_begins_at_random_by_the_seed(authors, saved):
    state = authors().state_dict()
    del state["A.fc1.weight"]
    models = [
        import_weights(saved(state), Wanted("cafes", "tiny", allow_missing=True, seed=seed)).checkpoint
        for seed in (1, 1, 2)
    ]
    first, again, other = (m.model.audio.project.weight for m in models)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert models[0].facts.provenance["import"]["missing"] == ["audio.project.weight"]


def test_what_no_answer_depends_on_may_be_missing(authors, saved):
    spare = ("T.albert.pooler", "mtcnn", "T.text_feature_affine", "v_transformer.cls_emb")
    state = {n: v for n, v in authors().state_dict().items() if not n.startswith(spare) and "num_batches" not in n}
    assert import_weights(saved(state), TINY).usable


def test_names_without_a_place_are_listed_twenty_at_most_and_all_in_the_document(authors, saved):
    extra = {f"A.xlstm.{n}.weight": torch.zeros(2) for n in range(30)}
    imported = import_weights(saved(authors().state_dict() | extra), TINY)
    lines = import_lines(imported, imported.path)
    assert imported.usable
    assert sum("xlstm" in line for line in lines) == 20
    assert "  and 10 more" in lines
    assert json.loads(json.dumps(import_json(imported, imported.path)))["unmapped"] == list(extra)


def test_another_size_is_refused_even_when_parameters_may_be_missing(authors, saved):
    state = authors().state_dict() | {"A.fc1.weight": torch.zeros(3, 16)}
    imported = import_weights(saved(state), Wanted("cafes", "tiny", allow_missing=True))
    assert imported.misshapen == ("audio.project.weight [3, 16], needed [8, 16]",)
    with pytest.raises(MissingWeightsError):
        imported.require()


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16, torch.float64])
def test_every_real_type_is_widened(authors, tmp_path, dtype):
    state = authors().state_dict()
    state["A.fc1.bias"] = torch.full((8,), 0.5).to(dtype)
    save_file(state, tmp_path / "model.safetensors")
    model = import_weights(tmp_path / "model.safetensors", TINY).checkpoint.model
    assert model.audio.project.bias.tolist() == [0.5] * 8


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int8, torch.bool, torch.float8_e8m0fnu])
def test_a_type_that_no_weight_has_is_refused(authors, tmp_path, dtype):
    state = authors().state_dict()
    state["A.fc1.bias"] = torch.ones(8).to(dtype)
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(ForeignFileError, match=r"audio\.project\.bias is torch"):
        import_weights(tmp_path / "model.safetensors", TINY)


def test_what_is_finite_in_the_file_and_too_large_for_us_is_refused(authors, saved):
    state = authors().state_dict() | {"A.fc1.bias": torch.full((8,), 1e300, dtype=torch.float64)}
    with pytest.raises(ForeignFileError, match="not finite"):
        import_weights(saved(state), TINY)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("T.albert.embeddings.word_embeddings.weight", (1 << 40, 0)),
        ("T.albert.embeddings.word_embeddings.weight", (1 << 20, 1)),
        ("A.tab.pos_encoding.pos_embed", (1, 1 << 16, 1)),
        ("V.4.rbr_reparam.weight", (1 << 40, 0, 3, 3)),
    ],
)
def test_rows_without_width_make_no_large_model(authors, saved, name, shape):
    imported = import_weights(saved(authors().state_dict() | {name: torch.zeros(shape)}), TINY)
    assert sum(p.numel() for p in imported.checkpoint.model.parameters()) < 1 << 20
    assert any(str(list(shape)) in line for line in imported.misshapen)


def test_a_preset_of_other_parts_is_refused_before_the_file_is_read(tmp_path):
    with pytest.raises(SettingError, match=r"small is built of other parts.*published, tiny"):
        import_weights(tmp_path / "none.pth", Wanted("cafes", "small"))


def test_another_system_is_refused(saved):
    imported = import_weights(saved({"encoder.weight": torch.zeros(3, 3)}), TINY)
    assert imported.unmapped == ("encoder.weight",)
    with pytest.raises(MissingWeightsError, match="--as"):
        imported.require()


def test_longer_sound_and_more_classes_are_read_off_the_file(authors, saved):
    theirs = authors(classes=6)
    theirs.A.tab.pos_encoding.pos_embed.data = torch.randn(1, 135, 16)
    labels = ("anger", "disgust", "fear", "hap", "sad", "surprise")
    imported = import_weights(saved(theirs.state_dict()), Wanted("cafes", "tiny", labels))
    imported.require()
    assert imported.checkpoint.facts.settings.audio.max_steps == 135
    assert imported.checkpoint.facts.labels == ("anger", "disgust", "fear", "happy", "sad", "surprise")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("mme2e", "tiny"), "there are: cafes"),
        (Wanted("cafes", "huge"), "huge"),
        (Wanted("cafes", "tiny", ("sad", "happy")), "4 classes"),
        (Wanted("cafes", "tiny", ("sad", "sad", "anger", "fear")), "twice"),
        (Wanted("cafes", "tiny", ("sad", "glee", "anger", "fear")), "glee"),
    ],
)
def test_a_wish_that_does_not_fit_the_file_is_refused(authors, saved, wanted, said):
    with pytest.raises(SettingError, match=said):
        import_weights(saved(authors().state_dict()), wanted)


def test_a_tokenizer_with_more_pieces_than_vectors_is_refused(authors, saved, tmp_path):
    from mmer.training.tokenizer import train_tokenizer

    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwx"]
    (tmp_path / "tokenizer.json").write_text(train_tokenizer(words, 900))
    with pytest.raises(SettingError, match="pieces"):
        import_weights(saved(authors().state_dict()), Wanted("cafes", "tiny", tokenizer=str(tmp_path)))
