"""One continuous track, in whatever pieces the sound arrives."""

import numpy as np
import pytest

from mmer.edge.media.soundtrack import Soundtrack, joined

SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, 48_000).astype(np.float32)


def through(piece, rate_hz, to_hz):
    track = Soundtrack(to_hz)
    starts = range(0, len(SOUND), piece)
    parts = [part for i in starts for part in track.push(SOUND[i : i + piece], i / rate_hz, rate_hz)]
    return joined([*parts, *track.flush()])


@pytest.mark.parametrize(("rate_hz", "to_hz"), [(48_000, 8_000), (44_100, 8_000), (8_000, 8_000)])
@pytest.mark.parametrize("piece", [160, 1024, 7000])
def test_the_size_of_the_pieces_makes_no_difference(piece, rate_hz, to_hz):
    whole, pieces = through(len(SOUND), rate_hz, to_hz), through(piece, rate_hz, to_hz)
    assert (pieces.time_s, pieces.samples.tobytes()) == (whole.time_s, whole.samples.tobytes())


def test_sound_comes_while_it_arrives():
    assert list(Soundtrack(8_000).push(SOUND, 0.0, 48_000))
