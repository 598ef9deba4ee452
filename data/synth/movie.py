"""Writing a clip as MP4 with H.264 and AAC, the same bytes every time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mmer.data.synth.clip import SynthClip
from mmer.data.synth.voice import RATE_HZ

ONE_THREAD = {"threads": "1"}
"""With more, what an encoder writes depends on their number."""
_H264 = {"preset": "veryfast", "crf": "24", "x264-params": "cpu-independent=1"}
"""Without the last, x264 writes equal pictures in other bytes now and then, and on other processors always."""


def write_movie(path: Path, clip: SynthClip, rate_hz: int) -> None:
    """Write the clip; nothing in the file tells when or on which machine."""
    with av.open(str(path), "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
        height, width = clip.pixels.shape[1:3]
        video = container.add_stream("libx264", rate_hz, ONE_THREAD | _H264)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", RATE_HZ, ONE_THREAD, layout="mono", bit_rate=64000)
        for n, pixels in enumerate(clip.pixels):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, rate_hz)
            container.mux(video.encode(frame))
        sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(clip.samples[None]), format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        container.mux(audio.encode(sound))
        container.mux([*video.encode(None), *audio.encode(None)])
