"""Every expected failure, each with the exit code that the command line returns for it.

MmerError
├── SettingError            2   an option or setting that cannot be used
│   ├── OutputExistsError
│   └── OutputError
├── DataError               3   media, transcripts or corpora that cannot be used
│   ├── MediaNotFoundError
│   ├── NoMediaError
│   ├── UnreadableMediaError
│   ├── MediaLimitError
│   ├── DecoderCrashedError
│   ├── DecoderStalledError
│   ├── TranscriptError
│   ├── CorpusError
│   ├── NothingToSeeError
│   └── LeakError
├── MissingDependencyError  4
├── ParityError             5   (raised by mmer.export)
├── AccuracyGateError       6   a bound on agreement or accuracy that is not reached
├── BudgetGateError         7   latency, size or energy
├── BundleError             8   corrupt, tampered or of an unknown version
└── DeviceError             9   a device, engine or golden replay failed
"""

import os


class MmerError(Exception):
    """An expected failure: one line that states the fact and the remedy."""

    exit_code = 1

    @classmethod
    def restored(cls, name: str, message: str) -> "MmerError":
        """Return the error that another process reported by class name and message."""
        found = next((error for error in _descendants(cls) if error.__name__ == name), cls)
        error = found.__new__(found)
        error.args = (message,)
        return error


def _descendants(cls: type[MmerError]) -> list[type[MmerError]]:
    return [cls, *(d for child in cls.__subclasses__() for d in _descendants(child))]


class SettingError(MmerError):
    """An option or setting has a value that cannot be used."""

    exit_code = 2


class OutputExistsError(SettingError):
    """An output would overwrite something."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(f"{os.fspath(path)} exists: name another output or add --exist-ok to replace it")


class OutputError(SettingError):
    """An output cannot be made where it was asked for."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)} cannot be written: {reason}; name another output")


class DataError(MmerError):
    """Media, a transcript or a corpus cannot be used."""

    exit_code = 3


class MediaNotFoundError(DataError):
    """There is no file at the path."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(f"{os.fspath(path)}: no such file; check the path")


class NoMediaError(DataError):
    """There is nothing to watch in a folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(f"{os.fspath(path)}: holds no media; name a file or another folder")


class UnreadableMediaError(DataError):
    """The file is not media that can be decoded."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: cannot be read as video or sound ({reason}); try to play or re-encode it")


class MediaLimitError(DataError):
    """The file asks for more than the limits allow."""

    def __init__(self, path: str | os.PathLike[str], what: str, limit: str) -> None:
        super().__init__(f"{os.fspath(path)}: {what}, above the limit of {limit}; scale or cut the file first")


class DecoderCrashedError(DataError):
    """The process that decodes media died."""

    def __init__(self, path: str | os.PathLike[str], how: str) -> None:
        super().__init__(
            f"{os.fspath(path)}: the decoder process died ({how}); the file is damaged or hostile, re-encode it"
        )


class DecoderStalledError(DataError):
    """The process that decodes media stopped answering."""

    def __init__(self, path: str | os.PathLike[str], stall_s: float) -> None:
        super().__init__(
            f"{os.fspath(path)}: the decoder gave nothing for {stall_s:g} s and was stopped; re-encode the file"
        )


class TranscriptError(DataError):
    """A subtitle or transcript file cannot be used."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: not a usable transcript ({reason})")


class CorpusError(DataError):
    """A corpus index or data set cannot be used."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")


class NothingToSeeError(DataError):
    """No clip gave a window that the model can use."""

    def __init__(self, title: str, clips: int) -> None:
        super().__init__(f"{title}: none of {clips} clip(s) holds a face, sound or words; name other recordings")


class LeakError(DataError):
    """The same speaker or recording stands in two splits."""

    def __init__(self, path: str | os.PathLike[str], leaks: int) -> None:
        super().__init__(
            f"{os.fspath(path)}: {leaks} leak(s) between splits; results on it would not be honest, split by speaker"
        )


class MissingDependencyError(MmerError):
    """An optional package or backend is not installed."""

    exit_code = 4

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed: pip install 'mmer[{extra}]'")


class ParityError(MmerError):
    """An exported graph does not compute what the float model computes."""

    exit_code = 5


class AccuracyGateError(MmerError):
    """A quantised bundle loses more accuracy than allowed."""

    exit_code = 6


class BudgetGateError(MmerError):
    """A bundle is slower, larger or hungrier than allowed."""

    exit_code = 7


class BundleError(MmerError):
    """A bundle is corrupt, tampered with or of an unknown version."""

    exit_code = 8

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: not a usable bundle ({reason}); fetch or export it again")


class DeviceError(MmerError):
    """A device, an engine or a golden replay failed."""

    exit_code = 9
