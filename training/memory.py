"""Memory that ran out, said in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mmer.edge.errors import DeviceError

_WORDS = ("can't allocate memory", "not enough memory")
"""What torch says in a plain `RuntimeError` when a processor's memory runs out."""


class DeviceMemoryError(DeviceError):
    """A batch does not fit into memory."""

    def __init__(self, batch_size: int, accumulation: int) -> None:
        super().__init__(
            f"out of memory with {batch_size} clips a batch in {accumulation} part(s): "
            f"--set accumulation={min(2 * accumulation, batch_size)} passes fewer at a time, "
            "--set augmentation.sound.longest_s=2 shorter ones, and a smaller --preset needs less"
        )


@contextmanager
def within_memory(batch_size: int, accumulation: int) -> Iterator[None]:
    """Raise `DeviceMemoryError` for whatever torch raises when memory runs out."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryError(batch_size, accumulation) from error
    except RuntimeError as error:
        if not any(words in str(error) for words in _WORDS):
            raise
        raise DeviceMemoryError(batch_size, accumulation) from error
