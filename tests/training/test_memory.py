"""Memory that runs out is a line with a remedy, and other errors are not."""

import pytest
import torch

from mmer.training.memory import DeviceMemoryError, within_memory


def test_a_real_lack_of_memory_names_the_remedy():
    reason = r"16 clips a batch in 2 part.*accumulation=4"
    with pytest.raises(DeviceMemoryError, match=reason) as caught, within_memory(16, 2):
        torch.empty(1 << 60, dtype=torch.uint8)
    assert caught.value.exit_code == 9
    assert "\n" not in str(caught.value)


def test_a_full_gpu_names_the_remedy():
    with pytest.raises(DeviceMemoryError, match="accumulation=2"), within_memory(16, 1):
        raise torch.OutOfMemoryError


def test_other_errors_pass_as_they_are():
    with pytest.raises(RuntimeError, match="must match"), within_memory(16, 1):
        torch.ones(2) + torch.ones(3)
