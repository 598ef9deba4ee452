"""A disk that fills up, or a folder that cannot be written any more, while a model is trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmer.edge.errors import DeviceError
from mmer.edge.files import UNWRITABLE


class UnwrittenError(DeviceError):
    """What a training has found cannot be written; what was kept before is still there."""

    def __init__(self, path: Path, reason: str, *, kept: bool) -> None:
        remedy = "add --resume: the epochs before are kept" if kept else "start again"
        super().__init__(f"{path} cannot be written: {reason}; free space or mend its folder, then {remedy}")


@contextmanager
def written(path: Path, progress: Path) -> Iterator[None]:
    """Raise `UnwrittenError` when the system refuses to write, with the remedy that the progress file allows."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        place = Path(error.filename) if isinstance(error.filename, str) else path
        raise UnwrittenError(place, str(error.strerror).lower(), kept=progress.is_file()) from error
