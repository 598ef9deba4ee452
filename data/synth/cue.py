"""How clearly one modality of a clip shows the clip's class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmer.data.synth.emotion import MANNERS, Pose, Prosody, blend, jittered

WEAK_SHARE = 0.6
"""Share of clips, at difficulty 1, whose cue in a given modality is weak; drawn for each modality on its own, so
that the modalities together know more than each alone."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A class shown with a strength, beside a decoy class that the clip does not have."""

    label: str
    strength: float
    decoy: str
    decoy_strength: float
    spread: float
    """Standard deviation of the noise on everything shown."""

    @classmethod
    def draw(cls, label: str, labels: Sequence[str], difficulty: float, rng: np.random.Generator) -> "Cue":
        """Draw the cue of one modality; at difficulty 0 it is always full and has no decoy."""
        weak, strength, decoy_strength, pick = rng.random(4).tolist()
        others = [name for name in labels if name != label] or [label]
        decoy = others[int(pick * len(others))]
        spread = 0.05 + 0.12 * difficulty
        if weak < WEAK_SHARE * difficulty:
            return cls(label, 0.3 * strength, decoy, 0.6 * decoy_strength, spread)
        return cls(label, 1.0 - 0.4 * difficulty * strength, decoy, 0.25 * difficulty * decoy_strength, spread)

    def pose(self, rng: np.random.Generator) -> Pose:
        """Return the expression that the face takes."""
        shown = blend([(MANNERS[self.label].pose, self.strength), (MANNERS[self.decoy].pose, self.decoy_strength)])
        return jittered(shown, self.spread, rng)

    def prosody(self, rng: np.random.Generator) -> Prosody:
        """Return the manner in which the voice speaks."""
        shown = blend(
            [(MANNERS[self.label].prosody, self.strength), (MANNERS[self.decoy].prosody, self.decoy_strength)]
        )
        return jittered(shown, self.spread, rng)
