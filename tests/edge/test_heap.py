"""Free memory goes back where the C library can be told to give it."""

import ctypes
import subprocess
import sys

import pytest

from mmer.edge.heap import be_frugal, trim


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_a_system_that_cannot_trim_goes_without(monkeypatch, error):
    def refuse(_):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert (trim(), be_frugal()) == (None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_blocks_go_back_when_they_are_freed():
    """In a process of its own: the setting stays."""
    code = (
        "import numpy as np\n"
        "from mmer.edge.heap import be_frugal\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "be_frugal()\n"
        "for size in (30 << 20, 20 << 20):\n"  # the first one freed would raise the threshold above the second
        "    block, pin = np.ones(size, np.uint8), np.ones(4096, np.uint8)\n"
        "    del block\n"
        "before = resident()\n"
        "block, pin = np.ones(20 << 20, np.uint8), np.ones(4096, np.uint8)\n"
        "del block\n"
        "print(resident() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1 << 20
