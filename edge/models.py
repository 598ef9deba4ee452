"""Which kind of model a path names."""

from pathlib import Path

CHECKPOINT = "checkpoint.json"
"""The file that makes a folder the checkpoint of a float model."""


def is_checkpoint(path: Path) -> bool:
    """Tell a checkpoint from what can only be a bundle."""
    return (path / CHECKPOINT).is_file()
