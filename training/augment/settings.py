"""How far a training clip may stray."""

from dataclasses import dataclass, field

from mmer.training.augment.pictures import SAME_PICTURES, PictureChanges
from mmer.training.augment.sound import SAME_SOUND, SoundChanges
from mmer.training.augment.words import SAME_WORDS, WordChanges


@dataclass(frozen=True, slots=True)
class Augmentation:
    """One group of largest changes for each modality."""

    sound: SoundChanges = field(default_factory=SoundChanges)
    pictures: PictureChanges = field(default_factory=PictureChanges)
    words: WordChanges = field(default_factory=WordChanges)


UNCHANGED = Augmentation(SAME_SOUND, SAME_PICTURES, SAME_WORDS)
