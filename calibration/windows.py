"""Windows of labelled clips, cut by the parts that the runtime itself uses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

from mmer.edge.bundle.manifest import Inputs
from mmer.edge.corpus import Entry
from mmer.edge.faces.crop import Crop, CropRule
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.faces.track import FaceTracker
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Caption, Frame, Sound
from mmer.edge.media.transcript import read_transcript, transcript_beside
from mmer.edge.pipeline.timeline import Timeline, WindowSettings
from mmer.edge.pipeline.window import Window


@dataclass(frozen=True, slots=True)
class Watcher:
    """Cuts clips into windows that do not overlap."""

    decoder: IsolatedDecoder
    detector: Mtcnn
    inputs: Inputs
    length_s: float

    def windows(self, entry: Entry) -> Iterator[Window]:
        """Yield the windows of a clip, their times counted from its start; raise `DataError` when it cannot be read."""
        clip = self.decoder.open(entry.path)
        start_s = entry.start_s or 0.0
        streams = [name for name in ("video", "audio") if getattr(clip, name) and getattr(self.inputs, name)]
        timeline = Timeline(WindowSettings(self.length_s, self.length_s), _captions(entry, start_s), streams)
        tracker = FaceTracker(self.detector)
        for event in self.decoder.events(entry.path, self._request(start_s, entry.end_s)):
            if isinstance(event, Frame):
                frame = replace(event, time_s=event.time_s - start_s)
                timeline.see(frame.time_s, self._crops(frame, tracker))
            elif isinstance(event, Sound):
                timeline.hear(replace(event, time_s=event.time_s - start_s))
            yield from timeline.complete()
        yield from timeline.finish()

    def _request(self, start_s: float, end_s: float | None) -> Request:
        frames = FrameRequest(self.inputs.video.rate_hz) if self.inputs.video else None
        sound = SoundRequest(self.inputs.audio.rate_hz) if self.inputs.audio else None
        return Request(frames, sound, start_s, inf if end_s is None else end_s)

    def _crops(self, frame: Frame, tracker: FaceTracker) -> Mapping[int, Crop]:
        video = self.inputs.video
        assert video is not None
        rule = CropRule(video.size, video.margin)
        return {seen.track: rule.cut(frame, seen.face.box) for seen in tracker.update(frame)}


def _captions(entry: Entry, start_s: float) -> tuple[Caption, ...]:
    """Return the words of the index or, without any, those of a transcript beside the file."""
    if entry.transcript:
        return (Caption(0.0, inf, entry.transcript),)
    beside = transcript_beside(entry.path)
    captions = read_transcript(beside) if beside else ()
    return tuple(Caption(c.start_s - start_s, c.end_s - start_s, c.text) for c in captions)
