import json
from dataclasses import replace

import pytest
import torch

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.verify import verify
from mmer.edge.errors import OutputExistsError, ParityError, SettingError
from mmer.export import writer
from mmer.export.card import terms
from mmer.export.systems import SPLITS
from mmer.export.whole import WHOLE
from mmer.export.writer import export_checkpoint
from mmer.training.checkpoint import Checkpoint, Facts
from mmer.training.tokenizer import train_tokenizer
from mmer.training.zoo import ZOO

LABELS = ("neutral", "happy", "sad", "anger")
PROVENANCE = {"seed": 7, "speakers": {"train": ["Mary", "Joe"], "val": ["Ann"]}, "leaking_speakers": ["Ann"]}


@pytest.fixture(scope="module")
def checkpoint(lively):
    settings = ZOO["cafes"].presets["tiny"]
    facts = Facts("cafes", "tiny", settings, LABELS, metrics={"uar": 0.5}, provenance=PROVENANCE)
    return Checkpoint(facts, lively.model, train_tokenizer([], settings.text.vocab_size))


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    return export_checkpoint(checkpoint, tmp_path_factory.mktemp("out") / "bundle")


def test_every_system_of_the_zoo_can_be_cut():
    assert SPLITS.keys() == ZOO.keys()


def test_a_bundle_opens_and_computes_its_golden_values(exported):
    bundle = Bundle.open(exported.bundle.path)
    assert bundle.digest == exported.bundle.digest
    verification = verify(bundle, OrtSession.open)
    verification.require()
    assert len(verification.replayed) == 5


def test_a_bundle_says_where_it_comes_from(exported):
    manifest = exported.bundle.manifest
    assert manifest.name == "cafes-tiny"
    assert manifest.head.labels == LABELS
    assert manifest.metrics == {"uar": 0.5}
    assert manifest.provenance["seed"] == 7
    assert set(manifest.provenance["export"]["parity"]["share_of_tolerance"]) == {*manifest.graphs, WHOLE}
    json.dumps(manifest.to_json(), allow_nan=False)


def test_a_bundle_counts_speakers_and_names_none(exported):
    assert exported.bundle.manifest.provenance["speakers"] == {"train": 2, "val": 1}
    assert not any(name in exported.bundle.read("MODEL_CARD.md").decode() for name in ("Mary", "Joe", "Ann"))


def test_an_export_tells_what_it_made(exported):
    facts = json.loads(json.dumps(exported.to_json(), allow_nan=False))
    assert facts["schema"] == "mmer.export/1"
    assert facts["bundle"]["digest"] == exported.bundle.digest
    assert facts["bytes"].keys() == exported.bundle.manifest.graphs.keys()
    assert exported.bundle.short in exported.lines()[0]
    assert len(exported.lines()) == 7


def test_a_bundle_carries_card_licence_and_tokenizer(exported, checkpoint):
    bundle = exported.bundle
    assert "neutral, happy, sad, anger" in bundle.read("MODEL_CARD.md").decode()
    assert "No licence was stated" in bundle.read("LICENSE").decode()
    assert bundle.tokenizer().decode() == checkpoint.tokenizer


def test_the_same_checkpoint_gives_the_same_bundle(exported, checkpoint, tmp_path):
    assert export_checkpoint(checkpoint, tmp_path / "again").bundle.digest == exported.bundle.digest


def test_the_model_of_the_checkpoint_stays_as_it_was(checkpoint, tmp_path):
    model = checkpoint.model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    export_checkpoint(checkpoint, tmp_path / "bundle")
    assert all(module.training for module in model.modules())
    assert before.keys() == model.state_dict().keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_nothing_is_replaced_unasked(exported, checkpoint):
    with pytest.raises(OutputExistsError):
        export_checkpoint(checkpoint, exported.bundle.path)


def test_a_graph_that_differs_leaves_no_bundle_behind(checkpoint, tmp_path, monkeypatch):
    right = writer.exported
    parts = {}

    def wrong(subgraph):
        parts.setdefault(subgraph.name, right(subgraph))
        return parts["audio"] if subgraph.name == "text" else parts[subgraph.name]

    monkeypatch.setattr(writer, "exported", wrong)
    with pytest.raises(ParityError, match="graph text"):
        export_checkpoint(checkpoint, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_flat_model_is_exported_once_its_architecture_has_proved_itself(checkpoint, fresh, tmp_path):
    exported = export_checkpoint(replace(checkpoint, model=fresh()), tmp_path / "bundle.zip")
    assert min(exported.parity.spread) < 0.5
    assert exported.bundle.path.is_file()


def test_nothing_is_exported_to_a_folder_that_is_not_ours(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "gated", None)
    with pytest.raises(SettingError, match="not ours to replace"):
        export_checkpoint(checkpoint, tmp_path, exist_ok=True)


def test_a_notice_stands_in_the_bundle_and_on_its_card(checkpoint, tmp_path):
    bundle = export_checkpoint(checkpoint, tmp_path / "bundle", notice="a toy").bundle
    assert (bundle.manifest.notice, bundle.manifest.metrics["uar"]) == ("a toy", 0.5)
    assert "Notice: a toy." in bundle.read("MODEL_CARD.md").decode()


def test_a_notice_that_no_terminal_can_show_is_refused_before_the_work(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "gated", None)
    with pytest.raises(SettingError, match="one printable line"):
        export_checkpoint(checkpoint, tmp_path / "bundle", notice="two\nlines")


def test_a_licence_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.txt", tmp_path / "binary"):
        with pytest.raises(SettingError, match="cannot be read"):
            terms(path)
