import json

import numpy as np
import pytest

from mmer.calibration.observation.statistics import Tally
from mmer.calibration.observation.statistics_json import MalformedError, from_json, to_json
from mmer.calibration.observers.methods import METHODS


@pytest.fixture
def statistics():
    tally = Tally("rows", -1)
    for part in np.split(np.random.default_rng(0).normal(2, 3, (600, 8)).astype("f4"), 6):
        tally.add(part)
    return tally.finished()


@pytest.fixture
def document(statistics):
    return json.loads(json.dumps(to_json(statistics)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("centred", [False, True])
def test_what_is_read_back_gives_the_same_ranges_to_the_last_digit(statistics, document, method, centred):
    read = from_json(document)
    assert METHODS[method](read, centred=centred) == METHODS[method](statistics, centred=centred)
    np.testing.assert_array_equal(read.seen.mean, statistics.seen.mean)
    assert to_json(read) == document


def test_a_tensor_takes_a_few_kilobytes(document):
    assert len(json.dumps(document, separators=(",", ":"))) < 16_000


def nan(count):
    import base64

    return base64.b64encode(np.full(count, np.nan, "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"count": True},
        {"low": "?"},
        {"low": nan(8)},
        {"low": ""},
        {"total": None},
        {"high": "AAAAAA=="},
        {"mean_extremes": [1, 0]},
        {"mean_extremes": [float("-inf"), 0]},
        {"moving_extremes": ["0", 1]},
        {"histogram": None},
        {"histogram": {"exponent": -3, "first": 0, "counts": [0, 0]}},
        {"histogram": {"exponent": -3, "first": 0, "counts": [1, -1]}},
        {"histogram": {"exponent": -3, "first": 0, "counts": [1.5]}},
        {"histogram": {"exponent": 3000, "first": 0, "counts": [1]}},
        {"histogram": {"exponent": -3, "first": 1 << 60, "counts": [1]}},
        {"histogram": {"exponent": -3, "first": 0, "counts": [1] * 9000}},
        {"centred_histogram": [1]},
    ],
    ids=str,
)
def test_anything_else_is_refused(document, change):
    with pytest.raises(MalformedError):
        from_json({**document, **change})


@pytest.mark.parametrize("document", [None, [], "x", {}])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(MalformedError):
        from_json(document)
