"""What ships with mmer is small, whole, and says of itself what it is."""

import hashlib

import av
import pytest

from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.bundle.verify import verify
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.media.transcript import read_transcript, transcript_beside
from mmer.edge.shipped import BUNDLE, EXAMPLE

NOTICE = "demonstration, not accurate"


@pytest.fixture(scope="module")
def bundle():
    return Bundle.open(BUNDLE)


def test_the_clip_and_the_bundle_are_small():
    assert (EXAMPLE.stat().st_size < 1_000_000, BUNDLE.stat().st_size <= 3_000_000) == (True, True)


def test_the_bundle_computes_its_golden_values(bundle):
    verify(bundle, OrtSession.open).require()


def test_the_bundle_its_card_and_its_licence_say_what_it_is(bundle):
    assert bundle.manifest.notice == NOTICE
    assert NOTICE in bundle.read("MODEL_CARD.md").decode()
    assert "Apache License" in bundle.read("LICENSE").decode()


def test_the_bundle_says_how_it_did_with_people_it_had_not_met(bundle):
    test = bundle.manifest.metrics["test"]
    assert ("synthetic people" in test["protocol"], test["stamps"], test["uar"] > 0.5) == (True, [], True)


@pytest.mark.parametrize("path", [BUNDLE, EXAMPLE, EXAMPLE.with_suffix(".srt")])
def test_the_papers_name_the_bytes(path):
    papers = (BUNDLE.parent / "README.md").read_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in papers


def test_one_face_is_found_in_every_frame_of_the_clip():
    detector = Mtcnn.open()
    with av.open(str(EXAMPLE)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert (len(frames), {len(detector.detect(frame)) for frame in frames}) == (240, {1})


def test_the_clip_speaks_and_its_words_lie_beside_it():
    with av.open(str(EXAMPLE)) as container:
        peaks = [float(abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0)]
    captions = read_transcript(transcript_beside(EXAMPLE))
    assert 0.3 < max(peaks) < 1.0
    assert [(0 <= c.start_s < c.end_s <= 16, len(c.text.split()) > 8) for c in captions] == [(True, True)] * 4
