"""`mmer train` as it is called: what it leaves behind, goes on with and refuses."""

import json

import pytest

from mmer import cli
from mmer.edge.corpus import write_index
from mmer.edge.errors import SettingError


@pytest.fixture(scope="module")
def index(synth_corpus, tmp_path_factory):
    parts = [[e for e in synth_corpus.entries if e.split == split] for split in ("train", "val")]
    path = tmp_path_factory.mktemp("few") / "corpus.csv"
    write_index(path, [entry for part in parts for entry in part[:: len(part) // 3]])
    return path


@pytest.fixture
def call(index, tmp_path, monkeypatch, capsys):
    """Train a tiny model for an epoch and return the document it prints."""
    monkeypatch.setenv("MMER_CACHE", str(index.parent / "cache"))

    def run(output, **options):
        usual = {"preset": "tiny", "changes": ["epochs=1"], "as_json": True, "quiet": True}
        cli.train("cafes", [index], tmp_path / output, **(usual | options))
        return json.loads(capsys.readouterr().out)

    return run


def test_the_checkpoint_has_its_history_and_nothing_lies_beside_it(call, tmp_path):
    document = call("made")
    kept = json.loads((tmp_path / "made" / "history.json").read_text())
    assert kept["epochs"] == document["epochs"]
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_kill_between_the_checkpoint_and_the_end_is_mended(call, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mmer.training.history.write_history", killed)
        with pytest.raises(KeyboardInterrupt):
            call("made")
    weights = (tmp_path / "made" / "model.safetensors").read_bytes()
    with pytest.raises(SettingError, match="add --resume to go on"):
        call("made")
    call("made", resume=True)
    assert (tmp_path / "made" / "model.safetensors").read_bytes() == weights
    assert not (tmp_path / "made.progress").exists()


def test_fine_tuning_takes_the_preset_of_its_start(call, tmp_path):
    call("before")
    document = call("after", start=[str(tmp_path / "before")], preset=None)
    assert (document["preset"], document["provenance"]["start"]["labels_kept"]) == ("tiny", document["labels"])
