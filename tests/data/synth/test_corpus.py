import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from mmer.data.synth import corpus as synth
from mmer.data.synth.clip import make_clip
from mmer.data.synth.recipe import SynthRecipe
from mmer.edge.corpus import Corpus
from mmer.edge.errors import OutputExistsError, SettingError

SMALL = SynthRecipe(speakers=3, clips_per_class=1, labels=("happy", "sad"), length_s=1.2)


def decoded(path: Path, kind: str) -> np.ndarray:
    """Return all pictures `[T, H, W, 3]` or all samples `[N]` of a file."""
    with av.open(str(path)) as container:
        if kind == "video":
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("synth") / "corpus"
    synth.make_corpus(SMALL, out)
    return out


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_the_same_recipe_gives_the_same_pixels_and_samples(folder, tmp_path, kind):
    synth.make_corpus(SMALL, tmp_path / "again")
    for path in (folder / "clips").iterdir():
        np.testing.assert_array_equal(decoded(path, kind), decoded(tmp_path / "again" / "clips" / path.name, kind))


def test_the_same_recipe_gives_the_same_bytes(folder, tmp_path):
    synth.make_corpus(SMALL, tmp_path / "again")
    made, again = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.*")} for f in (folder, tmp_path / "again"))
    assert made == again


def test_another_seed_gives_other_pixels_and_samples():
    one, other = (make_clip(SynthRecipe(seed=seed, length_s=1.0), 0, "happy", 0) for seed in (0, 1))
    assert not np.array_equal(one.pixels, other.pixels)
    assert not np.array_equal(one.samples, other.samples)


def test_more_speakers_and_clips_change_no_clip():
    larger = SynthRecipe(speakers=9, clips_per_class=7, labels=("happy", "sad"), length_s=1.2)
    one, other = (make_clip(recipe, 1, "sad", 0) for recipe in (SMALL, larger))
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.samples, other.samples)


def test_the_index_names_every_clip(folder):
    entries = Corpus.read([folder / synth.INDEX]).entries
    assert {e.path for e in entries} == set((folder / "clips").iterdir())
    assert all(e.set == "synth" and e.transcript for e in entries)


def test_no_speaker_is_in_two_splits(folder):
    entries = Corpus.read([folder / synth.INDEX]).entries
    assert len({(e.speaker, e.split) for e in entries}) == len({e.speaker for e in entries}) == 3


def test_the_recipe_lies_beside_the_index(folder):
    told = json.loads((folder / "recipe.json").read_text())
    told.pop("schema")
    assert SynthRecipe(**{k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}) == SMALL


def test_pictures_and_sound_last_equally_long(folder):
    for path in (folder / "clips").iterdir():
        pictures, samples = len(decoded(path, "video")), len(decoded(path, "audio"))
        assert abs(pictures / SMALL.rate_hz - samples / 16000) <= 1 / SMALL.rate_hz


def test_the_encoded_sound_is_not_shifted(folder):
    heard = decoded(folder / "clips" / "synth0-000-happy-000.mp4", "audio")
    spoken = make_clip(SMALL, 0, "happy", 0).samples
    n = 2 * len(heard)
    likeness = np.fft.irfft(np.fft.rfft(heard, n) * np.conj(np.fft.rfft(spoken, n)))
    assert np.argmax(likeness) == 0


def test_some_clips_start_in_the_dark():
    clip = make_clip(SynthRecipe(length_s=1.0, black_share=1.0), 0, "happy", 0)
    dark = clip.pixels.max(axis=(1, 2, 3)) == 0
    assert dark[0]
    assert not dark[2:].any()


def test_progress_counts_up_to_all_clips(tmp_path):
    told = []
    synth.make_corpus(SMALL, tmp_path / "corpus", lambda done, total: told.append((done, total)))
    assert told == [(n, 6) for n in range(1, 7)]


def test_a_failing_run_leaves_nothing_behind(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synth, "write_movie", full_disk)
    with pytest.raises(OSError, match="No space"):
        synth.make_corpus(SMALL, tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing_behind(tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synth.make_corpus(SMALL, tmp_path / "corpus", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OutputExistsError):
        synth.make_corpus(SMALL, tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_what_is_no_corpus_is_not_replaced_even_when_asked(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(SettingError, match="not ours to replace"):
        synth.make_corpus(SMALL, tmp_path, exist_ok=True)
    assert (tmp_path / "mine.txt").exists()


def test_what_exists_is_replaced_when_asked(tmp_path):
    synth.make_corpus(SMALL, tmp_path / "corpus")
    smaller = replace(SMALL, labels=("fear", "anger"))
    index = synth.make_corpus(smaller, tmp_path / "corpus", exist_ok=True)
    assert {e.label for e in Corpus.read([index]).entries} == {"fear", "anger"}
    assert len(list((tmp_path / "corpus" / "clips").iterdir())) == 6
