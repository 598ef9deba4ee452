"""Free memory goes back where the C library can be told to give it."""

import ctypes
import sys

import pytest

from mmer.edge.heap import trim
from mmer.edge.memory import high_water_mb


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_trimming_takes_nothing():
    before_mb = high_water_mb()
    trim()
    assert high_water_mb() - before_mb < 1.0


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_a_system_that_cannot_trim_goes_without(monkeypatch, error):
    def refuse(_):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert trim() is None
