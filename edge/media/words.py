"""Where the words of a recording come from."""

from dataclasses import dataclass

from mmer.edge.errors import TranscriptError
from mmer.edge.media.clip import Clip
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.stream import Caption
from mmer.edge.media.transcript import read_transcript, transcript_beside


@dataclass(frozen=True, slots=True)
class Words:
    """What is said, and when."""

    source: str
    """Where it comes from, in words."""
    captions: tuple[Caption, ...] = ()
    remark: str | None = None
    """What kept words from being used that were there."""


def words_of(clip: Clip, decoder: IsolatedDecoder) -> Words:
    """Return the words beside a file or, without any that can be used, those inside it."""
    remark = None
    if beside := transcript_beside(clip.path):
        try:
            return Words(str(beside), read_transcript(beside))
        except TranscriptError as error:  # nobody asked for it
            remark = str(error)
    embedded = decoder.captions(clip.path) if clip.text is not None else ()
    none = f"none ({remark})" if remark else "none"
    return Words(f"text stream {clip.text}" if embedded else none, embedded, remark)
