"""How to train, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmer.edge.errors import SettingError
from mmer.edge.inputs.constants import among, within
from mmer.training.augment.settings import UNCHANGED, Augmentation
from mmer.training.batch import MODALITIES
from mmer.training.compute import ComputeSettings
from mmer.training.curriculum import CurriculumSettings
from mmer.training.history import WORTHS
from mmer.training.objective import LossSettings
from mmer.training.optimiser import OptimiserSettings
from mmer.training.sampler import SamplerSettings

_ALL = ", ".join(MODALITIES)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to train. The defaults are those published for `cafes`."""

    epochs: int = 10
    batch_size: int = 16
    accumulation: int = 1
    """A batch passes in so many parts, for less memory, and their gradients are added up before the step.

    It is the same step, but that batch normalisation and the alignment of confidence see one part at a time.
    """
    patience: int = 0
    """Training ends after so many epochs without a better one; 0 never does."""
    seed: int = 42
    keep: str = "uar"
    """What the best epoch has most of on the validation samples, one of `history.WORTHS`; `last` chooses nothing."""
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    rates: Mapping[str, float] = field(default_factory=dict)
    """Learning rate of branches or parts, such as `face`, over that of the rest; 0 freezes."""
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    sampler: SamplerSettings = field(default_factory=SamplerSettings)
    curriculum: CurriculumSettings = field(default_factory=CurriculumSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    augmentation: Augmentation = UNCHANGED
    dropout: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How probable it is that video, audio or text is left out of a training sample."""
    mixup: float = 0.0
    """Wordless samples are mixed with others by shares from Beta(mixup, mixup); 0 never does."""
    beta: float = 0.2
    """Weight of the alignment of confidence and error."""

    @property
    def all_rates(self) -> Mapping[str, float]:
        """The rates with what the optimiser's own settings say of text."""
        return {"text": self.optimiser.text_lr_share, **self.rates}

    def __post_init__(self) -> None:
        within("epochs", self.epochs, 1, 10_000)
        within("batch_size", self.batch_size, 1, 4096)
        within("accumulation", self.accumulation, 1, self.batch_size)
        within("patience", self.patience, 0, 10_000)
        within("seed", self.seed, 0, 2**63 - 1)
        among("keep", self.keep, WORTHS)
        within("mixup", self.mixup, 0.0, 100.0)
        within("beta", self.beta, 0.0, 100.0)
        for name, rate in self.rates.items():
            if not isinstance(rate, int | float):
                raise SettingError(f"rates.{name} is {rate!r:.80}, not a number")
            within(f"rates.{name}", rate, 0.0, 1000.0)
        if len(self.dropout) != len(MODALITIES):
            raise SettingError(f"dropout has {len(self.dropout)} values; it needs one for each of {_ALL}")
        for share in self.dropout:
            within("dropout", share, 0.0, 1.0)
        _refuse_what_never_works(self)


def _refuse_what_never_works(fit: FitSettings) -> None:
    """Raise `SettingError` for settings of which one makes another do nothing."""
    if fit.keep == "last" and (fit.patience or fit.optimiser.schedule == "plateau"):
        waits = f"patience {fit.patience}" if fit.patience else "optimiser.schedule plateau"
        raise SettingError(f"{waits} waits for a better epoch, and keep=last calls every epoch better; set keep=uar")
    if fit.loss.taught and fit.mixup:
        raise SettingError("a teacher of words and mixup, which is for the wordless, exclude each other; set mixup=0")
