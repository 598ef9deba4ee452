"""What a file holds is stated, what it cannot hold is refused."""

import subprocess
import sys

import av
import pytest
from av.stream import Disposition

from mmer.edge.errors import MediaLimitError, MediaNotFoundError, UnreadableMediaError
from mmer.edge.media.clip import Clip
from mmer.edge.media.limits import MediaLimits
from mmer.edge.media.request import FrameRequest, Request, SoundRequest
from mmer.edge.media.stream import Damage, Frame, Sound

SECOND = tuple(i / 30 for i in range(30))


def test_a_clip_with_both_states_both(made):
    clip = Clip.open(made("both.mp4", frame_times_s=SECOND, sound_length_s=1.0))
    assert (clip.video.codec, clip.video.width, clip.audio.rate_hz, clip.audio.channels) == ("mpeg4", 64, 16000, 1)


def test_a_clip_without_sound_has_no_sound(made):
    clip = Clip.open(made("silent.mp4", frame_times_s=SECOND))
    assert (clip.audio, clip.sound()) == (None, None)


def test_a_clip_without_pictures_has_no_frames(made):
    clip = Clip.open(made("heard.m4a", sound_length_s=1.0))
    assert (clip.video, list(clip.frames())) == (None, [])


def test_cover_art_is_not_video(tmp_path):
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("libmp3lame", rate=44100, layout="mono"), container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition |= Disposition.attached_pic
        silence = av.AudioFrame("s16p", "mono", 1152)
        silence.sample_rate = 44100
        pictures = [*cover.encode(av.VideoFrame(64, 48, "yuvj420p")), *cover.encode()]
        for packet in [*pictures, *sound.encode(silence), *sound.encode()]:
            container.mux(packet)
    assert Clip.open(path).video is None


def test_frames_and_sound_come_interleaved_in_one_pass(made):
    clip = Clip.open(made("both.mp4", frame_times_s=tuple(i / 30 for i in range(300)), sound_length_s=10.0))
    order = [type(e) for e in clip.events(Request(FrameRequest(), SoundRequest())) if isinstance(e, Frame | Sound)]
    assert Sound in order[: len(order) // 3]
    assert Frame in order[: len(order) // 3]


def test_several_streams_are_chosen_from_and_the_choice_is_stated(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        small, large = (container.add_stream("mpeg4", rate=30) for _ in range(2))
        (small.width, small.height), (large.width, large.height) = (32, 32), (64, 48)
        for stream in (small, large):
            stream.pix_fmt = "yuv420p"
        for stream in (small, large):
            for packet in [*stream.encode(av.VideoFrame(stream.width, stream.height, "yuv420p")), *stream.encode()]:
                container.mux(packet)
    clip = Clip.open(path)
    assert (clip.video.width, clip.choices) == (64, ("video stream 1 of [0, 1]",))


def test_embedded_captions_are_read(tmp_path, made):
    srt = tmp_path / "words.srt"
    srt.write_text("1\n00:00:00,200 --> 00:00:00,800\n<b>Hello</b>\n")
    path = tmp_path / "captioned.mkv"
    with (
        av.open(str(made("plain.mkv", frame_times_s=SECOND))) as video,
        av.open(str(srt)) as words,
        av.open(str(path), "w") as out,
    ):
        streams = [
            out.add_stream_from_template(video.streams.video[0]),
            out.add_stream_from_template(words.streams.subtitles[0]),
        ]
        for source, target in zip((video, words), streams, strict=True):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = target
                    out.mux(packet)
    (caption,) = Clip.open(path).captions()
    assert (caption.start_s, caption.end_s, caption.text) == (pytest.approx(0.2), pytest.approx(0.8), "Hello")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MediaNotFoundError, match=r"nothing\.mp4: no such file"):
        Clip.open(tmp_path / "nothing.mp4")


@pytest.mark.parametrize("content", [b"", b"not media at all " * 100, b"\x00" * 5000])
@pytest.mark.parametrize("suffix", [".mp4", ".wav", ".ogg", ".mkv"])
def test_what_is_not_media_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableMediaError, match="cannot be read"):
        Clip.open(path)


def test_a_playlist_that_names_other_files_is_refused(tmp_path, made):
    target = made("other.ts", frame_times_s=SECOND, video_codec="libx264")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnreadableMediaError):
        Clip.open(playlist)


def test_a_script_that_names_other_files_is_refused(tmp_path, made):
    made("other.mp4", frame_times_s=SECOND)
    script = tmp_path / "list.mp4"
    script.write_text("ffconcat version 1.0\nfile other.mp4\n")
    with pytest.raises(UnreadableMediaError):
        Clip.open(script)


def test_a_name_that_looks_like_a_host_is_still_a_file(made, monkeypatch, tmp_path):
    made("rtsp:x.mp4", frame_times_s=SECOND)
    monkeypatch.chdir(tmp_path)
    assert Clip.open(type(tmp_path)("rtsp:x.mp4")).video is not None


def test_too_many_pixels_are_refused(made):
    with pytest.raises(MediaLimitError, match="64x48"):
        Clip.open(made("large.mp4", frame_times_s=SECOND), MediaLimits(pixels=1000))


def test_too_many_channels_are_refused(made):
    with pytest.raises(MediaLimitError, match="2 sound channels"):
        Clip.open(made("wide.wav", sound_length_s=1.0, channels=2, audio_codec="pcm_s16le"), MediaLimits(channels=1))


def test_too_long_a_clip_is_refused(made):
    with pytest.raises(MediaLimitError, match="1 s long"):
        Clip.open(made("long.mp4", frame_times_s=SECOND), MediaLimits(duration_s=0.5))


def test_a_broken_off_file_gives_what_it_holds(made):
    path = made("whole.mkv", frame_times_s=tuple(i / 30 for i in range(300)), sound_length_s=10.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    times_s = [f.time_s for f in Clip.open(path).frames(FrameRequest(rate_hz=None))]
    assert 60 < len(times_s) < 240
    assert times_s[0] == 0.0


def test_damage_inside_a_stream_is_reported(made):
    path = made(
        "whole.mp4",
        frame_times_s=tuple(i / 30 for i in range(150)),
        video_codec="libx264",
        size=(320, 240),
        bright_corner=True,
    )
    raw = bytearray(path.read_bytes())
    start = raw.index(b"mdat") + 4
    raw[start + 40 : start + 1000] = b"\xff" * 960
    path.write_bytes(raw)
    assert any(isinstance(e, Damage) for e in Clip.open(path).events(Request(FrameRequest(rate_hz=None))))


def test_a_gap_in_the_sound_becomes_silence_of_its_length(made):
    early = made("early.mkv", sound_length_s=1.0, sound_rate_hz=16000, audio_codec="flac", click_s=0.5)
    late = made("late.mkv", sound_start_s=3.0, sound_length_s=1.0, audio_codec="flac", click_s=3.5)
    path = early.with_name("gap.mkv")
    with av.open(str(path), "w") as out:
        target = None
        for source_path in (early, late):
            with av.open(str(source_path)) as source:
                target = target or out.add_stream_from_template(source.streams.audio[0])
                for packet in source.demux(source.streams.audio[0]):
                    if packet.dts is not None:
                        packet.stream = target
                        out.mux(packet)
    sound = Clip.open(path).sound(8000)
    loud = [round(float(t) / 8000, 2) for t in (abs(sound.samples) > 0.3).nonzero()[0]]
    assert (sound.end_s, loud[0], loud[-1]) == (pytest.approx(4.0, abs=0.01), 0.5, 3.5)


def test_the_runtime_loads_no_heavy_library():
    code = "import sys, mmer.edge; print(sorted({'torch', 'transformers', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
