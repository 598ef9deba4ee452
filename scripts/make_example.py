"""Make the example clip: one synthetic person who is neutral, happy, sad and angry in turn, with subtitles.

Run once, by hand; the result is committed. It takes half a minute:

    python scripts/make_example.py edge/assets/example
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmer.data.synth.acting import Act
from mmer.data.synth.camera import Shot, film
from mmer.data.synth.clip import SynthClip
from mmer.data.synth.cue import Cue
from mmer.data.synth.emotion import Pose, blend
from mmer.data.synth.lexicon import sentence
from mmer.data.synth.movie import write_movie
from mmer.data.synth.phones import Utterance, utter
from mmer.data.synth.speaker import Speaker
from mmer.data.synth.voice import Delivery, speak
from mmer.edge.files import atomic_text

SEED = 2026
"""Nobody of the corpus that the built-in bundle was trained on: that one has the seed 1."""
LABELS = ("neutral", "happy", "sad", "anger")
SCENE_S = 4.0
PAUSE_S = 0.5
"""At the end of each scene."""
FADE_S = 0.4
"""From one expression to the next."""
RATE_HZ = 15
HISS_DB = 40.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One emotion of the clip."""

    sentences: tuple[str, str]
    utterance: Utterance
    poses: Sequence[Pose]
    samples: np.ndarray

    def cue(self, number: int) -> str:
        """Return the scene's subtitle as SubRip; the first scene has number 0."""
        start_s, end_s = (number * SCENE_S + self.utterance.edges_s[edge] for edge in (0, -1))
        return "\n".join((str(number + 1), f"{_stamp(start_s)} --> {_stamp(end_s)}", *self.sentences, ""))


def scene(speaker: Speaker, label: str, number: int) -> Scene:
    """Act an emotion as clearly as the corpus can."""
    see, hear, read = (np.random.default_rng(seed) for seed in np.random.SeedSequence((SEED, 0, number)).spawn(3))
    look, sound, wording = (Cue.draw(label, LABELS, 0.0, rng) for rng in (see, hear, read))
    delivery = Delivery(speaker.voice, sound.prosody(hear), HISS_DB)
    sentences = sentence(wording, read), sentence(wording, read)
    utterance = utter(" ".join(sentences), speaker.voice.rate * 2**delivery.prosody.rate, SCENE_S - PAUSE_S, hear)
    act = Act(blend([(look.pose(see), speaker.looks.expressiveness)]), utterance)
    times_s = np.arange(round(SCENE_S * RATE_HZ)) / RATE_HZ
    return Scene(sentences, utterance, act.play(times_s, see), speak(utterance, delivery, SCENE_S, hear))


def joined(scenes: Sequence[Scene]) -> list[Pose]:
    """Return the poses of all scenes, each fading in from the end of the one before."""
    poses: list[Pose] = []
    for one in scenes:
        shares = [min(1.0, (n + 1) / RATE_HZ / FADE_S) if poses else 1.0 for n in range(len(one.poses))]
        last = poses[-1] if poses else Pose()
        poses += [blend([(last, 1 - share), (pose, share)]) for pose, share in zip(one.poses, shares, strict=True)]
    return poses


def make(folder: Path) -> None:
    """Write `example.mp4` and `example.srt`."""
    speaker = Speaker.draw(SEED, 0)
    scenes = [scene(speaker, label, number) for number, label in enumerate(LABELS)]
    poses = joined(scenes)
    shot = Shot(320, 240, np.arange(len(poses)) / RATE_HZ, black=0, difficulty=0.0)
    pixels = film(speaker.looks, poses, shot, np.random.default_rng(SEED))
    samples = np.concatenate([one.samples for one in scenes])
    transcript = " ".join(line for one in scenes for line in one.sentences)
    write_movie(folder / "example.mp4", SynthClip(pixels, samples, transcript), RATE_HZ)
    with atomic_text(folder / "example.srt") as file:
        file.write("\n".join(one.cue(number) for number, one in enumerate(scenes)))


def _stamp(time_s: float) -> str:
    """Return a moment as SubRip writes it; the clip is shorter than a minute."""
    return f"00:00:{time_s:06.3f}".replace(".", ",")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    make(Path(sys.argv[1]))
