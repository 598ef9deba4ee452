"""A bundle's dataflow as data: which graph runs at which rate on which values.

The executor runs any plan and knows no architecture.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from mmer.edge.errors import BundleError

Rate: TypeAlias = Literal["frame", "utterance", "window", "conversation"]
RATES: tuple[Rate, ...] = get_args(Rate)


@dataclass(frozen=True, slots=True)
class Stage:
    """One graph, run once for every frame, utterance, window or conversation."""

    name: str
    graph: str
    rate: Rate
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages in the order in which they run."""

    sources: tuple[str, ...]
    """Values that preprocessing provides, presence masks included."""
    stages: tuple[Stage, ...]

    @classmethod
    def checked(cls, sources: tuple[str, ...], stages: tuple[Stage, ...]) -> "Plan":
        """Return a plan in which every value is made once and before it is used; else raise `BundleError`."""
        known = set(sources)
        for stage in stages:
            if stage.rate not in RATES:
                raise BundleError(stage.name, f"stage has the rate {stage.rate!r}, not one of {', '.join(RATES)}")
            if missing := [name for name in stage.inputs if name not in known]:
                raise BundleError(stage.name, f"stage needs {', '.join(missing)}, which no earlier stage makes")
            if again := [name for name in stage.outputs if name in known]:
                raise BundleError(stage.name, f"stage makes {', '.join(again)} a second time")
            known.update(stage.outputs)
        return cls(sources, stages)
