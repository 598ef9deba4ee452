"""Only tensors come out of a file, and a file that is anything else says so in one line."""

import os
import pickle
import random
import zipfile
from contextlib import suppress

import pytest
import torch

from mmer.edge.errors import MediaNotFoundError
from mmer.training.foreign.tensors import ForeignFileError, read_tensors


class Code:
    def __reduce__(self):
        return os.system, ("touch was-run",)


def written(path, content):
    torch.save(content, path)
    return path


def repacked(path, change, compression=zipfile.ZIP_STORED):
    """Write an archive anew with every member changed."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))
    return path


def refusal(path):
    with pytest.raises(ForeignFileError) as caught:
        read_tensors(path)
    said = str(caught.value)
    assert path.name in said
    assert "\n" not in said
    assert caught.value.exit_code == 3
    return said


def test_a_state_dict_is_read(tmp_path):
    state = {"a.weight": torch.randn(2, 3), "a.bias": torch.nn.Parameter(torch.zeros(3))}
    read = read_tensors(written(tmp_path / "a.pth", state))
    assert {name: value.tolist() for name, value in read.items()} == {n: v.tolist() for n, v in state.items()}


def test_code_is_named_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "system" in refusal(written(tmp_path / "a.pth", {"a": torch.zeros(1), "b": Code()}))
    assert not (tmp_path / "was-run").exists()


def test_a_whole_module_is_refused(tmp_path):
    assert "torch.nn.modules.linear.Linear" in refusal(written(tmp_path / "a.pth", torch.nn.Linear(2, 2)))


def test_a_pickled_mixture_is_to_be_fitted_again(tmp_path):
    from sklearn.mixture import GaussianMixture

    (tmp_path / "gmm.pkl").write_bytes(pickle.dumps(GaussianMixture(2)))
    assert "fit it again: mmer train cafes --from" in refusal(tmp_path / "gmm.pkl")


def test_a_plain_pickle_is_refused(tmp_path):
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"a": Code()}))
    assert "pickle" in refusal(tmp_path / "a.pth")


def test_torch_before_zip_files_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert "1.6" in refusal(tmp_path / "a.pth")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_program_is_refused(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), str(tmp_path / "a.pt"))
    assert "TorchScript" in refusal(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"PK\x03\x04" + bytes(999)])
def test_what_is_no_torch_file_is_refused(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    refusal(tmp_path / "a.pth")


def test_what_is_no_safetensors_is_refused(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 64)
    assert "safetensors" in refusal(tmp_path / "a.safetensors")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(tmp_path, share):
    path = written(tmp_path / "a.pth", {"a": torch.randn(1000)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "cut short" in refusal(path)


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path):
    path = written(tmp_path / "a.pth", {"a": torch.zeros(100_000)})
    repacked(path, lambda _, content: content, zipfile.ZIP_DEFLATED)
    assert "declares more bytes than it has" in refusal(path)


def test_a_tensor_larger_than_its_bytes_is_refused(tmp_path):
    path = written(tmp_path / "a.pth", {"a": torch.zeros(70_000)})
    count = (70_000).to_bytes(4, "little")
    huge = (2_000_000_000).to_bytes(4, "little")
    repacked(path, lambda name, content: content.replace(count, huge) if name.endswith(".pkl") else content)
    refusal(path)


def test_five_gigabytes_of_one_repeated_zero_are_refused(tmp_path):
    path = written(tmp_path / "a.pth", {"a": torch.zeros(1).expand(5 << 28)})
    assert path.stat().st_size < 10_000
    assert "GiB" in refusal(path)


def test_a_repeated_zero_is_refused_however_small(tmp_path):
    assert "fewer values than a" in refusal(written(tmp_path / "a.pth", {"a": torch.zeros(1).expand(9)}))


@pytest.mark.parametrize("name", ["a" * 301, "a\x1b[2Jb", "a\nb", "\ud800", "\u202eb", 3])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path, name):
    said = refusal(written(tmp_path / "a.pth", {name: torch.zeros(1)}))
    assert "whose name is no text" in said
    assert said.isprintable()


def test_what_a_pickle_would_import_reaches_no_terminal_as_it_is(tmp_path):
    path = written(tmp_path / "a.pth", {"a": torch.zeros(1)})
    hostile = b"\x80\x02cos\\x1b[2J\nsystem\n."
    repacked(path, lambda name, content: hostile if name.endswith("data.pkl") else content)
    assert refusal(path).isprintable()


def test_a_call_that_asks_for_memory_is_refused(tmp_path):
    path = written(tmp_path / "a.pth", {"a": torch.zeros(1)})
    asking = b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."
    repacked(path, lambda name, content: asking if name.endswith("data.pkl") else content)
    assert "bytearray" in refusal(path)


def test_a_nested_pickle_of_any_depth_is_refused(tmp_path):
    path = written(tmp_path / "a.pth", {"a": torch.zeros(1)})
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    repacked(path, lambda name, content: deep if name.endswith("data.pkl") else content)
    refusal(path)


def test_a_file_without_a_state_dict_is_refused(tmp_path):
    assert "no state dict" in refusal(written(tmp_path / "a.pth", {"epoch": 3}))
    assert "no state dict" in refusal(written(tmp_path / "b.pth", torch.zeros(3)))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(MediaNotFoundError):
            read_tensors(path)


@pytest.mark.parametrize("seed", range(20))
def test_damage_anywhere_is_refused_or_gives_other_numbers(tmp_path, seed):
    path = written(tmp_path / "a.pth", {"a": torch.randn(8), "b": {"c": [1, 2.5, "x"]}})
    content = bytearray(path.read_bytes())
    draw = random.Random(seed)
    for _ in range(20):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path.write_bytes(content)
    with suppress(ForeignFileError):
        read_tensors(path)
