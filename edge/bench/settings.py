"""What a user may choose about a measurement."""

from dataclasses import dataclass, field

from mmer.edge.bench.intervals import Bootstrap
from mmer.edge.inputs.constants import within
from mmer.edge.pipeline.timeline import WindowSettings


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """Which clips, which windows, and how long; raises `SettingError`."""

    split: str = "test"
    clips: int | None = None
    """So many at most, drawn by the seed; `None` for all."""
    seconds: float = 60.0
    """For whole clips from file to answers, after the accuracy is known; 0 for none."""
    starts: int = 3
    """Fresh processes for each row; 0 for none."""
    threads: int = 1
    """Of every session, torch included."""
    seed: int = 0
    windows: WindowSettings = field(default_factory=WindowSettings)

    def __post_init__(self) -> None:
        within("clips", 1 if self.clips is None else self.clips, 1, 1 << 24)
        within("seconds", self.seconds, 0.0, 86_400.0)
        within("starts", self.starts, 0, 100)
        within("threads", self.threads, 1, 1024)
        within("seed", self.seed, 0, 1 << 32)

    @property
    def bootstrap(self) -> Bootstrap:
        """How clips are drawn again."""
        return Bootstrap(seed=self.seed)
