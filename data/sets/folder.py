"""Clips that lie in folders named by class."""

from collections.abc import Iterator

from mmer.data.sets.source import SPLITS, Source
from mmer.edge.corpus import Entry
from mmer.edge.errors import CorpusError
from mmer.edge.labels import canonical
from mmer.edge.sources import media_below


def folder_per_class(source: Source) -> Iterator[Entry]:
    """Yield clips that lie in folders named by class, such as `happy/a.mp4` or `train/happy/mary/a.mp4`.

    The folder nearest to the file that names a class is its label; `train`, `val` and `test` above it are its split
    (`train` if there is none), and a folder below it is its speaker (unknown speakers are an empty column).
    """
    for path in media_below(source.path):
        folders = path.relative_to(source.path).parts[:-1]
        labelled = [place for place, name in enumerate(folders) if canonical(name) is not None]
        if not labelled:
            raise CorpusError(
                path, "lies in no folder that is named by an emotion (see mmer/edge/labels.py for the spellings)"
            )
        place = labelled[-1]
        split = next((s for name in folders[:place] if (s := SPLITS.get(name.lower()))), "train")
        speaker = folders[place + 1] if len(folders) > place + 1 else ""
        yield Entry(path, canonical(folders[place]) or "", split, speaker, set=source.path.resolve().name)
