"""`mmer import` as it is called: a checkpoint that the rest of mmer reads, or one line and nothing written."""

import json

import pytest
import torch

from mmer import cli
from mmer.edge.errors import OutputExistsError
from mmer.training.foreign.tensors import ForeignFileError
from mmer.training.foreign.weights import MissingWeightsError


@pytest.fixture
def weights(authors, tmp_path):
    torch.save(authors().state_dict(), tmp_path / "model.pth")
    return tmp_path / "model.pth"


def test_the_document_names_the_checkpoint_and_where_it_is_from(weights, tmp_path, capsys):
    cli.import_(weights, "cafes", tmp_path / "out", preset="tiny", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["checkpoint"]) == ("mmer.import/1", str(tmp_path / "out"))
    assert document["provenance"]["import"]["file"] == "model.pth"
    assert (tmp_path / "out" / "checkpoint.json").is_file()


def test_it_says_what_is_not_in_the_file(weights, tmp_path, capsys):
    cli.import_(weights, "cafes", tmp_path / "out", preset="tiny")
    said = capsys.readouterr().out
    assert "mixtures" in said
    assert "no tokenizer" in said


def test_an_imported_model_is_fine_tuned_and_its_mixture_fitted(weights, synth_corpus, tmp_path):
    from mmer.edge.corpus import write_index
    from mmer.training.checkpoint import Checkpoint

    write_index(tmp_path / "few.csv", [e for e in synth_corpus.entries if e.label in {"anger", "sad"}][::3])
    cli.import_(weights, "cafes", tmp_path / "out", preset="tiny")
    few = {"start": [str(tmp_path / "out")], "changes": ["epochs=1"], "where": None, "as_json": True, "quiet": True}
    cli.train("cafes", [tmp_path / "few.csv"], tmp_path / "fitted", **few)
    fitted = Checkpoint.open(tmp_path / "fitted")
    assert fitted.model.audio.confidence.view.mixture.fitted
    assert fitted.facts.provenance["start"]["provenance"]["import"]["file"] == "model.pth"


def test_nothing_is_written_for_a_file_that_lacks_too_much(tmp_path, capsys):
    torch.save({"odd": torch.zeros(1)}, tmp_path / "odd.pth")
    with pytest.raises(MissingWeightsError):
        cli.import_(tmp_path / "odd.pth", "cafes", tmp_path / "out", preset="tiny", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["checkpoint"], document["unmapped"], (tmp_path / "out").exists()) == (None, ["odd"], False)
    assert len(document["missing"]) > 100


def test_the_output_is_asked_for_before_the_file_is_read(weights, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputExistsError):
        cli.import_(weights, "cafes", tmp_path / "out", preset="tiny")


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"hello")
    with pytest.raises(ForeignFileError):
        cli.import_(tmp_path / "a.pth", "cafes", tmp_path / "out")
