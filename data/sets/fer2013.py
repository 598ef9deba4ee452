"""FER-2013: 48x48 grey faces as a table of pixels, as folders of classes, or as an archive of these."""

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from mmer.data.sets.source import SPLITS, Source, code, split_of, table
from mmer.edge.corpus import FRAMING, Entry
from mmer.edge.errors import CorpusError, DataError
from mmer.edge.labels import canonical
from mmer.edge.sources import PICTURE_SUFFIXES

_SIDE = 48
_MOST_BYTES = 1 << 20
"""A picture of 48x48 has two thousand."""
_LABELS = dict(zip("0123456", ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral"), strict=True))
_USAGES: Mapping[str, str] = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}


def fer2013(source: Source) -> Iterator[Entry]:
    """Yield the pictures of the form that is found first: the table, archives, folders named by class.

    Who is seen is not known. The split is the official one where the table or a file's name tells it (`PublicTest_1`),
    else that of a folder or of the archive's name.
    """
    if tables := source.files("fer2013.csv", "icml_face_data.csv"):
        return _rows(tables[0], source.unpacked)
    if archives := source.files("*fer*.tar", "*fer*.tar.gz", "*fer*.tgz"):
        return (entry for archive in archives for entry in _members(archive, source.unpacked))
    return (
        _entry(path, path.relative_to(source.path), "") for path in source.files(*(f"*{s}" for s in PICTURE_SUFFIXES))
    )


def _rows(path: Path, folder: Path) -> Iterator[Entry]:
    for number, raw in table(path, ()):
        row = {name.strip(): value for name, value in raw.items()}  # one of the files in circulation has blanks there
        if missing := {"emotion", "pixels", "Usage"} - row.keys():
            raise CorpusError(path, f"has no column {', '.join(sorted(missing))}; is it FER-2013's own table?")
        label = code(_LABELS, row["emotion"], path, f"line {number}: emotion")
        split = code(_USAGES, row["Usage"], path, f"line {number}: Usage")
        picture = folder / split / label / f"{number:05}.png"
        encoded = cv2.imencode(".png", _pixels(path, number, row["pixels"]))[1]
        _put(picture, encoded.tobytes())
        yield _face(picture, label, split)


def _pixels(path: Path, number: int, text: str) -> np.ndarray:
    try:
        values = np.array(text.split(), np.int64)
    except ValueError as error:
        raise CorpusError(path, f"line {number} has pixels that are no numbers; fetch the file again") from error
    if len(values) != _SIDE * _SIDE or values.min() < 0 or values.max() > 255:
        raise CorpusError(path, f"line {number} has not {_SIDE * _SIDE} pixels of 0 to 255; fetch the file again")
    return values.astype(np.uint8).reshape(_SIDE, _SIDE)


def _members(archive: Path, folder: Path) -> Iterator[Entry]:
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                name = PurePosixPath(member.name)
                if not member.isfile() or name.suffix.lower() not in PICTURE_SUFFIXES:
                    continue
                entry = _entry(archive / name, Path(name), split_of(archive.name) or "")
                yield _unpacked(entry, opened, member, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.filename not in {None, str(archive)}:
            raise  # it is the folder that cannot be written
        raise CorpusError(archive, f"is not an archive that can be read ({error}); fetch it again") from error


def _unpacked(entry: Entry, opened: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> Entry:
    """Return the entry with its picture out of the archive, whatever folders the archive names for it."""
    picture = folder / entry.split / entry.label / entry.path.name
    file = opened.extractfile(member)
    if file is None or member.size > _MOST_BYTES:
        raise CorpusError(
            entry.path, f"has {member.size} bytes, too many for a face of FER-2013; fetch the archive again"
        )
    _put(picture, file.read())
    return _face(picture, entry.label, entry.split)


def _entry(path: Path, inside: Path, otherwise: str) -> Entry:
    """Return the entry of a picture in a folder named by class; `otherwise` is its split when nothing says."""
    folders = inside.parts[:-1]
    label = canonical(folders[-1]) if folders else None
    if label is None:
        raise CorpusError(path, "lies in no folder that is named by an emotion, such as angry/1.jpg")
    named = SPLITS.get(path.stem.partition("_")[0].lower())
    return _face(path, label, named or next(filter(None, map(split_of, folders[:-1])), "") or otherwise or "train")


def _face(path: Path, label: str, split: str) -> Entry:
    return Entry(path, label, split, "", set="fer2013", extra={FRAMING: "face"})


def _put(path: Path, data: bytes) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    if path.exists():
        raise DataError(f"{path} is there and is another picture; name another output")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
