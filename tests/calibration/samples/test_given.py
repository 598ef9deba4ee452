import struct

import numpy as np
import pytest

from mmer.calibration.samples import given
from mmer.calibration.samples.given import Given, SampleError
from mmer.calibration.settings import CalibrationSettings
from mmer.edge.tensors import TensorSpec

IDS = TensorSpec("ids", "int64", ("B", "T"))
MASK = TensorSpec("mask", "int64", ("B", "T"))
SOUND = TensorSpec("sound", "float32", (1, "N", 2))


@pytest.fixture
def stacked(tmp_path):
    """Writes one file of arrays and returns its path."""

    def write(save=np.savez, **arrays):
        save(tmp_path / "samples.npz", **arrays)
        return tmp_path / "samples.npz"

    return write


@pytest.fixture
def folder(tmp_path):
    """Writes a file for each sample and returns their folder."""

    def write(*samples):
        for number, sample in enumerate(samples):
            np.savez(tmp_path / f"{number}.npz", **sample)
        return tmp_path

    return write


def sounds(count, axes=3):
    found = np.arange(count * 10, dtype="f4").reshape(count, 5, 2)
    return found if axes == 3 else found[:, np.newaxis]


@pytest.mark.parametrize("axes", [3, 4])
def test_samples_lie_along_the_batch_axis_or_one_of_their_own(stacked, axes):
    given = Given.read(stacked(sound=sounds(4, axes)), [SOUND])
    for number, sample in enumerate(given.samples()):
        np.testing.assert_array_equal(sample["sound"], sounds(4)[number : number + 1])


def test_samples_of_a_folder_may_differ_in_length(folder):
    path = folder(*({"ids": np.full((1, n), n), "mask": np.ones((1, n), "i8")} for n in (3, 5, 7)))
    given = Given.read(path, [IDS, MASK])
    assert [sample["ids"].shape for sample in given.samples()] == [(1, 3), (1, 5), (1, 7)]


def test_no_sample_stands_on_both_sides(stacked):
    array = np.concatenate([sounds(10), sounds(10)])
    calibration, fresh = Given.read(stacked(sound=array), [SOUND]).dealt(CalibrationSettings(samples=6, fresh=2))
    assert (len(calibration.digests), len(fresh.digests)) == (6, 2)
    assert not set(calibration.digests) & set(fresh.digests)


def test_another_seed_draws_others(stacked):
    given = Given.read(stacked(sound=sounds(20)), [SOUND])
    drawn = [given.dealt(CalibrationSettings(samples=4, fresh=4, seed=seed))[0].digests for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"noise": sounds(4)}, "nothing for input sound"),
        ({"sound": sounds(4), "noise": sounds(4)}, "noise is no input of the graph, which takes sound"),
        ({"sound": sounds(4).astype("f8")}, "input sound .*: the array is float64; save it as float32"),
        ({"sound": np.ones((4, 2), "f4")}, "input sound .*: an array .* holds no samples of it"),
        ({"sound": np.ones((4, 5, 3), "f4")}, "input sound .*: the array has 3 along axis 2, where 2 is needed"),
        ({"sound": np.ones((4, 0, 2), "f4")}, "input sound .*: the array is empty"),
        ({"sound": np.full((4, 5, 2), np.nan, "f4")}, "sample 0: input sound .* NaN or infinity"),
        ({"sound": np.ones((4, 5, 2), "f4")}, "1 different sample"),
        ({"sound": np.ones((0, 5, 2), "f4")}, "0 different sample"),
        ({"sound": np.asfortranarray(sounds(4))}, "numpy.ascontiguousarray"),
        ({"sound": np.array([{}, {}], object)}, "not an array of plain numbers"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(stacked, arrays, said):
    with pytest.raises(SampleError, match=said):
        Given.read(stacked(**arrays), [SOUND])


def test_inputs_of_one_sample_must_agree_in_length(folder):
    path = folder({"ids": np.ones((1, 4), "i8"), "mask": np.ones((1, 5), "i8")})
    with pytest.raises(SampleError, match=r"input mask .*: the array has 5 along axis 1, where 4 is needed"):
        Given.read(path, [IDS, MASK])


def test_every_input_needs_as_many_samples(stacked):
    path = stacked(ids=np.ones((3, 4), "i8"), mask=np.ones((2, 4), "i8"))
    with pytest.raises(SampleError, match="different numbers of samples"):
        Given.read(path, [IDS, MASK])


def test_compressed_arrays_are_refused(stacked):
    with pytest.raises(SampleError, match=r"is compressed; write it with numpy\.savez"):
        Given.read(stacked(np.savez_compressed, sound=sounds(4)), [SOUND])


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "samples.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(SampleError, match=r"not arrays as numpy\.savez writes them"):
        Given.read(path, [SOUND])


def test_a_header_that_promises_more_than_there_is_is_refused(stacked):
    path = stacked(sound=sounds(4))
    path.write_bytes(path.read_bytes().replace(b"(4, 5, 2)", b"(9, 9, 9)"))
    with pytest.raises(SampleError, match="not as long as it says"):
        Given.read(path, [SOUND])


def test_a_missing_place_is_named(tmp_path):
    with pytest.raises(SampleError, match="no such file or folder"):
        Given.read(tmp_path / "nothing.npz", [SOUND])


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(SampleError, match="0 different sample"):
        Given.read(tmp_path, [SOUND])


def test_one_of_two_samples_is_left_to_calibrate_with(stacked):
    given = Given.read(stacked(sound=sounds(2)), [SOUND])
    calibration, fresh = given.dealt(CalibrationSettings(samples=1, fresh=64))
    assert (len(calibration.digests), len(fresh.digests)) == (1, 1)


def in_directory(content, place, number):
    """Return an archive whose directory says something else of its array, at a place of its entry."""
    at = content.rindex(b"PK\x01\x02") + place
    return content[:at] + struct.pack("<I", number) + content[at + 4 :]


def test_an_array_longer_than_its_file_is_refused(stacked):
    path = stacked(sound=sounds(4))
    content = path.read_bytes().replace(b"(4, 5, 2), }   ", b"(4000, 5, 2), }")
    for compressed_or_not in (20, 24):
        content = in_directory(content, compressed_or_not, 128 + 4 * 4000 * 5 * 2)
    path.write_bytes(content)
    with pytest.raises(SampleError, match="longer than the file"):
        Given.read(path, [SOUND])


def test_an_array_that_is_said_to_begin_at_the_end_is_refused(stacked):
    path = stacked(sound=sounds(4))
    path.write_bytes(in_directory(path.read_bytes(), 42, path.stat().st_size - 3))
    with pytest.raises(SampleError, match=r"not arrays as numpy\.savez writes them"):
        Given.read(path, [SOUND])


def test_what_cannot_be_read_in_a_folder_is_named(tmp_path):
    (tmp_path / "0.npz").mkdir()
    with pytest.raises(SampleError, match=r"0\.npz: not arrays as numpy\.savez writes them"):
        Given.read(tmp_path, [SOUND])


def test_a_file_too_large_is_not_read_whole(folder, monkeypatch):
    path = folder({"sound": sounds(1)}, {"sound": sounds(2)[1:]})
    monkeypatch.setattr(given, "MOST_BYTES", 100)
    monkeypatch.setattr(given, "_OVERHEAD", 0)
    with pytest.raises(SampleError, match="at most 256 MiB"):
        Given.read(path, [SOUND])
