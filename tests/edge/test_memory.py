import subprocess
import sys

import numpy as np
import pytest

from mmer.edge.memory import children, high_water_mb, peak_rss_mb

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
TELL = "from mmer.edge.memory import high_water_mb; print(high_water_mb())"
TELL_PEAK = "from mmer.edge.memory import peak_rss_mb; print(peak_rss_mb(None))"


def test_what_a_process_took_counts_though_it_was_given_back():
    np.ones(40_000_000, np.uint8)
    assert high_water_mb() > 40


def test_the_memory_of_the_parent_is_not_counted():
    held = np.ones(300_000_000, np.uint8)
    done = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True)
    assert 1 < float(done.stdout) < held.nbytes / 1e6


def test_children_are_found_while_they_run():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as running:
        assert running.pid in set(children())
        running.stdin.close()
    assert running.pid not in set(children())


def test_a_process_that_is_gone_has_no_memory():
    assert high_water_mb(2**30) is None


def test_the_peak_is_not_inherited():
    held = np.ones(300_000_000, np.uint8)
    done = subprocess.run([sys.executable, "-c", TELL_PEAK], capture_output=True, text=True, check=True)
    assert 1 < float(done.stdout) < held.nbytes / 1e6


def test_the_decoder_is_part_of_the_peak():
    assert peak_rss_mb(1e6) == pytest.approx(1e6 + high_water_mb(), abs=1.0)


def test_without_proc_the_system_is_asked_for_the_peak(monkeypatch):
    monkeypatch.setattr("mmer.edge.memory.high_water_mb", lambda: None)
    assert peak_rss_mb(None) >= high_water_mb() - 1.0
