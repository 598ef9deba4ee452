"""How far a calibration has come, in a folder beside its output, until the output is written."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mmer.edge.errors import DataError, SettingError
from mmer.edge.files import atomic_text, creating

_ABOUT = "about.json"


class OtherCalibrationError(SettingError):
    """What is kept belongs to a calibration with other settings."""

    def __init__(self, path: Path, place: str) -> None:
        super().__init__(
            f"{path} is of a calibration that differs in {place}: calibrate as before to go on, or without --resume "
            "and with --exist-ok to start again"
        )


class ProgressError(DataError):
    """What is kept cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: not what a calibration keeps ({reason}); start again without --resume")


def progress_path(output: Path) -> Path:
    """Return where the progress towards an output is kept: beside it."""
    return output.with_name(f"{output.name}.progress")


def claim_progress(output: Path, *, resume: bool, exist_ok: bool) -> bool:
    """Say whether there is a calibration to go on with; else clear the place for a new one.

    Raises `SettingError` when a new calibration would replace one that was interrupted, or something else.
    """
    path = progress_path(output)
    if not path.exists():
        return False
    if not (path / _ABOUT).is_file():
        raise SettingError(f"{path} is there and is none of ours: name another output")
    if resume:
        return True
    if not exist_ok:
        raise SettingError(f"{path} is an interrupted calibration: add --resume to go on, or --exist-ok to start again")
    shutil.rmtree(path)
    return False


@contextmanager
def workshop(folder: Path | None, about: Mapping[str, object]) -> Iterator[Path]:
    """Give a folder to work in: the one that is kept, which must be about the same, or one for the time being."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="mmer-") as name:
            yield Path(name)
        return
    if folder.exists():
        _require_same(folder / _ABOUT, json.loads(json.dumps(about)))
    else:
        with creating(folder):
            folder.mkdir()
        with atomic_text(folder / _ABOUT) as file:
            json.dump(about, file)
    yield folder


def _require_same(path: Path, about: Mapping[str, object]) -> None:
    try:
        before = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ProgressError(path, str(error)) from error
    if not isinstance(before, dict):
        raise ProgressError(path, "it is no object")
    for name in {**before, **about}:
        if before.get(name) != about.get(name):
            raise OtherCalibrationError(path.parent, name)
