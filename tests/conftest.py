"""A small synthetic corpus, made and decoded once for all tests that train."""

import pytest

LABELS = ("neutral", "happy", "sad")


@pytest.fixture(scope="session")
def synth_corpus(tmp_path_factory):
    """Eight people who act three emotions plainly in every modality, four clips each, 2 s long."""
    from mmer.data.synth.corpus import make_corpus
    from mmer.data.synth.recipe import SynthRecipe
    from mmer.edge.corpus import Corpus

    recipe = SynthRecipe(
        seed=5, clips_per_class=4, labels=LABELS, difficulty=0.0, length_s=2.0, width=160, height=120, rate_hz=10
    )
    return Corpus.read([make_corpus(recipe, tmp_path_factory.mktemp("synth") / "corpus")])


@pytest.fixture(scope="session")
def synth_cache(tmp_path_factory):
    """A cache of recordings that the tests share."""
    from mmer.training.cache import RecordingCache

    return RecordingCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def synth_samples(synth_corpus, synth_cache):
    """The corpus as samples."""
    from mmer.training.recording import Inputs
    from mmer.training.samples import load_samples

    return load_samples(synth_corpus, LABELS, Inputs(), cache=synth_cache)
