"""Making the whole corpus: a folder that is complete or not there."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from mmer.data.synth.clip import make_clip
from mmer.data.synth.movie import write_movie
from mmer.data.synth.recipe import SynthRecipe
from mmer.edge.corpus import Entry, write_index
from mmer.edge.errors import SettingError
from mmer.edge.files import atomic_text, refuse_existing

CLIPS, INDEX, RECIPE = CONTENTS = ("clips", "corpus.csv", "recipe.json")
Progress = Callable[[int, int], None]


def make_corpus(recipe: SynthRecipe, out: Path, progress: Progress | None = None, *, exist_ok: bool = False) -> Path:
    """Make the corpus in the folder `out` and return the path of its index.

    `progress` is told clips done and clips in all. Raises `OutputExistsError` when `out` is there and not `exist_ok`,
    `SettingError` when it holds anything that is not of such a corpus and would be lost.
    """
    refuse_existing(out, exist_ok=exist_ok)
    _refuse_foreign(out)
    with _whole_folder(out) as folder:
        (folder / CLIPS).mkdir()
        entries = _entries(recipe, folder, progress or (lambda _done, _total: None))
        write_index(folder / INDEX, entries)
        with atomic_text(folder / RECIPE) as file:
            json.dump({"schema": "mmer.synth/1", **asdict(recipe)}, file, indent=2)
    return out / INDEX


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not (out.is_dir() and {path.name for path in out.iterdir()} <= set(CONTENTS)):
        raise SettingError(f"{out} is not a synthetic corpus and is not replaced; name another output")


def _entries(recipe: SynthRecipe, folder: Path, progress: Progress) -> list[Entry]:
    """Make and write the clips, several at once; numpy, OpenCV and the encoders let go of the interpreter."""
    clips, entries = recipe.clips, []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for entry in pool.map(partial(_entry, recipe, folder), clips):
            entries.append(entry)
            progress(len(entries), len(clips))
    finally:
        pool.shutdown(cancel_futures=True)
    return entries


def _entry(recipe: SynthRecipe, folder: Path, clip: tuple[int, str, int]) -> Entry:
    """Make one clip and write it."""
    who, label, number = clip
    speaker = f"synth{recipe.seed}-{who:03d}"
    path = folder / CLIPS / f"{speaker}-{label}-{number:03d}.mp4"
    made = make_clip(recipe, who, label, number)
    write_movie(path, made, recipe.rate_hz)
    return Entry(path, label, recipe.splits[who], speaker, set="synth", transcript=made.transcript)


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` that takes its place when the block ends without an error."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        yield folder
        folder.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
