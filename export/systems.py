"""How each system of the zoo is cut into graphs."""

from collections.abc import Callable, Mapping

from mmer.export import cafes
from mmer.export.subgraphs import Split
from mmer.training.model import EmotionModel
from mmer.training.recording import Inputs

SPLITS: Mapping[str, Callable[[EmotionModel, Inputs], Split]] = {"cafes": cafes.split}
