"""Golden values: to bytes and back, and what a session makes of them."""

import io
import zipfile

import numpy as np
import pytest

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle import arrays
from mmer.edge.bundle.arrays import pack, unpack
from mmer.edge.bundle.golden import Case, GoldenReplayError, check_golden, decode, encode, replay
from mmer.edge.errors import BundleError, DeviceError

CASES = (
    Case({"x": np.eye(2, 3, dtype=np.float32), "ids": np.array([[1, 2]])}, {"y": np.ones((2, 1), np.float32)}),
    Case({"x": np.zeros((1, 3), np.float32), "ids": np.array([[3]])}, {"y": np.zeros((1, 1), np.float32)}),
)


def test_cases_survive_the_disk():
    for case, again in zip(CASES, decode(encode(CASES), "a.npz"), strict=True):
        for side in ("inputs", "outputs"):
            assert getattr(again, side).keys() == getattr(case, side).keys()
            for name, array in getattr(case, side).items():
                np.testing.assert_array_equal(getattr(again, side)[name], array, strict=True)


def test_equal_cases_give_equal_bytes():
    assert encode(CASES) == encode(CASES)


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.float32(3), np.zeros((0, 2)), np.array([True])]
)
def test_arrays_of_every_layout_survive_the_disk(array):
    np.testing.assert_array_equal(unpack(pack({"a": array}), "a.npz")["a"], array, strict=True)


def npz(header: str, content: bytes = b"") -> bytes:
    """One array with any header."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\5\6" + bytes(10),
        npz("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n"),
        npz("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}", b"0000"),
        npz("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", b"0000"),
        npz("{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", b"0" * 16),
        npz("__import__('os').system('true')"),
        npz("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", b"0000"),
        npz("(" * 5000),
    ],
)
def test_arrays_that_cannot_be_are_refused(content):
    with pytest.raises(BundleError, match="cannot be read"):
        unpack(content, "a.npz")


def test_compressed_arrays_are_refused():
    file = io.BytesIO()
    np.savez_compressed(file, a=np.zeros(1 << 20))
    with pytest.raises(BundleError, match="compressed"):
        unpack(file.getvalue(), "a.npz")


def test_arrays_of_an_absurd_size_are_refused(monkeypatch):
    monkeypatch.setattr(arrays, "MOST_BYTES", 1000)
    with pytest.raises(BundleError, match="more than"):
        unpack(pack({"a": np.zeros(1000)}), "a.npz")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"0000.inputs.x": np.ones(1)},
        {"0000.outputs.y": np.array([np.nan])},
        {"0000.outside.y": np.ones(1)},
        {"y": np.ones(1)},
    ],
)
def test_values_that_are_not_golden_are_refused(values):
    with pytest.raises(BundleError, match="golden"):
        decode(pack(values), "a.npz")


class Fixed:
    """A session that always answers the same."""

    inputs = outputs = ()

    def __init__(self, **answer):
        self.answer = answer

    def run(self, _inputs):
        return self.answer


def golden(values) -> list[Case]:
    return [Case({}, {"y": np.array(values, np.float32)})]


def test_a_right_answer_does_not_deviate(bundle):
    worst = check_golden("frame", OrtSession.open(bundle.graph("frame", "fp32")), bundle.golden("frame"), 1e-6)
    assert worst.value == 0


def test_the_deviation_is_the_share_of_the_range():
    assert replay(Fixed(y=np.array([0.0, 4.0])), golden([0, 5])).value == pytest.approx(0.2)


def test_an_output_that_hardly_varies_is_measured_against_a_hundredth():
    assert replay(Fixed(y=np.array([1.0, 1.001])), golden([1, 1])).value == pytest.approx(0.1)


def test_the_worst_of_all_cases_and_outputs_is_named():
    cases = [Case({}, {"x": np.array([0.0, 1.0]), "y": np.array([0.0, 1.0])}), Case({}, {"x": np.array([0.0, 9.0])})]
    worst = replay(Fixed(x=np.array([0.0, 1.0]), y=np.array([0.0, 1.5])), cases)
    assert (worst.case, worst.output) == (1, "x")


@pytest.mark.parametrize(
    "answer", [{}, {"y": np.ones(3)}, {"y": np.array([np.nan, 1.0])}, {"y": np.array([0.0, np.inf])}]
)
def test_no_answer_another_shape_or_nan_deviate_without_limit(answer):
    assert replay(Fixed(**answer), golden([0, 1])).value == np.inf


def test_a_graph_that_deviates_is_a_device_failure_that_names_it():
    with pytest.raises(
        GoldenReplayError, match=r"graph text\.int8: output y of golden case 0 is off by 0\.2"
    ) as failure:
        check_golden("text.int8", Fixed(y=np.array([0.0, 4.0])), golden([0, 5]), 0.1)
    assert (isinstance(failure.value, DeviceError), failure.value.exit_code) == (True, 9)
