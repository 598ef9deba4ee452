from mmer.edge.bench.nulls import without_nan


def test_nan_becomes_null_however_deep():
    assert without_nan({"a": [float("nan"), (1.0,)], "b": "nan"}) == {"a": [None, [1.0]], "b": "nan"}
