"""Making the whole corpus: a folder that is complete or not there."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from mmer.data.synth.clip import make_clip
from mmer.data.synth.movie import write_movie
from mmer.data.synth.recipe import SynthRecipe
from mmer.edge.corpus import Entry, write_index
from mmer.edge.files import atomic_folder, atomic_text, claim

CLIPS, INDEX, RECIPE = ("clips", "corpus.csv", "recipe.json")
Progress = Callable[[int, int], None]


def make_corpus(recipe: SynthRecipe, out: Path, progress: Progress | None = None, *, exist_ok: bool = False) -> Path:
    """Make the corpus in the folder `out` and return the path of its index.

    `progress` is told clips done and clips in all. Raises `OutputExistsError` when `out` is there and not `exist_ok`,
    `SettingError` when it is something else than such a corpus.
    """
    claim(out, marker=RECIPE, exist_ok=exist_ok)
    with atomic_folder(out, marker=RECIPE) as folder:
        (folder / CLIPS).mkdir()
        entries = _entries(recipe, folder, progress or (lambda _done, _total: None))
        write_index(folder / INDEX, entries)
        with atomic_text(folder / RECIPE) as file:
            json.dump({"schema": "mmer.synth/1", **asdict(recipe)}, file, indent=2)
    return out / INDEX


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
