"""Two processes end where one does, go on after an interruption, and fail as one."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mmer.edge.corpus import write_index
from mmer.training import ranks

HERE = Path(__file__).parent
COMPUTED = ("compute.recompute=true", "compute.ahead=2")
OTHERWISE = (
    "audio.front=mel",
    "audio.dropout=0.3",
    "audio.summary=true",
    "text.kind=phrases",
    "video.lost=0.3",
)
"""Sizes that have parts which the preset has not."""
FAILING = """
import sys
import torch
from torch import distributed
from mmer.edge.errors import MmerError, SettingError
from mmer.training import ranks
from mmer.training.world import world
try:
    with world():
        if distributed.get_rank() == 1:
            raise SettingError("this rank alone cannot go on")
        ranks.total(torch.ones(1, requires_grad=True))
except MmerError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
"""


def torchrun(*arguments, **environment):
    """Start two processes and wait for both."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    command = [*launcher, *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def index(synth_corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("ranks") / "corpus.csv"
    write_index(path, synth_corpus.entries)
    return path


@pytest.fixture(scope="module")
def trained(index, synth_cache):
    """Train in one process or two and return the tensors and losses."""

    @functools.cache
    def run(name, processes, *more, sizes=(), stops=(0,)):
        changes = json.dumps(["accumulation=2", *more])
        output = index.parent / name
        for stop in stops:
            arguments = (HERE / "rank_driver.py", index, synth_cache.folder, output, changes, json.dumps(sizes), stop)
            if processes == 2:
                assert (done := torchrun(*arguments)).returncode == bool(stop), done.stderr
                assert output.with_name(f"{name}.progress").exists()
            else:
                env = {**os.environ, "WORLD_SIZE": "1", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "0"}
                subprocess.run([sys.executable, *map(str, arguments)], env=env, check=True)
        return load_file(output / "model.safetensors"), json.loads(output.with_suffix(".losses").read_text())

    return run


def unmoved(name):
    """Whether a bias does nothing, as a norm or a softmax follows it: Adam steps by the rounding of its gradient."""
    norms = name.endswith("norm.running_mean") or name == "face.convolutions.1.running_mean"
    return name.endswith(("conv.bias", "attention.key.bias")) or name == "face.convolutions.0.bias" or norms


def test_two_processes_train_the_model_of_one(trained):
    one, losses = trained("one", 1)
    two, others = trained("two", 2, *COMPUTED)
    assert losses == pytest.approx(others, rel=1e-6)
    # sums are taken in another order, 6 steps of 1e-3 grow what that rounds; 2e-6 was seen of weights
    for name in one:
        if not unmoved(name):
            assert torch.allclose(one[name], two[name], rtol=1e-4, atol=2e-5), name


def test_two_processes_train_the_model_of_one_of_other_parts(trained):
    one, losses = trained("other-one", 1, sizes=OTHERWISE)
    two, others = trained("other-two", 2, sizes=OTHERWISE)
    assert losses == pytest.approx(others, rel=1e-5)
    for name in one:
        if not unmoved(name):
            assert torch.allclose(one[name], two[name], rtol=1e-4, atol=2e-5), name


def test_two_processes_go_on_where_they_were_stopped(trained):
    whole, losses = trained("two", 2, *COMPUTED)
    resumed, others = trained("resumed", 2, stops=(1, 0))
    assert losses == others
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_one_of_two_processes_writes_and_prints(index, synth_cache, tmp_path):
    command = ["-m", "mmer.cli", "train", "cafes", "--data", index, "--preset", "tiny", "--set", "epochs=1"]
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "recordings").symlink_to(synth_cache.folder)
    done = torchrun(*command, "--json", "-o", tmp_path / "made", MMER_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["epochs"]) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"cache", "made"}


def test_what_all_processes_meet_is_said_once(tmp_path):
    done = torchrun("-m", "mmer.cli", "train", "cafes", "--data", tmp_path / "none.csv", "-o", tmp_path / "made")
    assert done.stderr.count("error: ") == 1
    assert done.stderr.count("exitcode  : 3") >= 1


def test_one_process_that_fails_ends_the_other_in_silence(tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    done = torchrun(tmp_path / "failing.py")
    assert [line for line in done.stderr.splitlines() if "error: " in line] == ["error: this rank alone cannot go on"]
    assert "exitcode  : 2" in done.stderr


def test_nothing_in_training_has_the_dropout_of_torch_which_knows_no_ranks():
    training = HERE.parents[1] / "training"
    files = [path for path in training.rglob("*.py") if path.name != "dropout.py"]
    assert [path.name for path in files if "nn.Dropout(" in path.read_text()] == []


def test_alone_a_process_has_everything_and_sums_nothing():
    x = torch.ones(3, requires_grad=True)
    assert ranks.leads()
    assert not ranks.joined()
    assert ranks.own(5) == slice(0, 5)
    assert ranks.total(x) is x
    assert ranks.told([0.5], torch.device("cpu")) == (0.5,)
