"""A bundle's dataflow as data: which graph runs at which rate on which values.

A graph's tensors are called what the plan calls the values. The executor runs any plan and knows no architecture.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from mmer.edge.bundle.document import Value
from mmer.edge.errors import BundleError

Rate: TypeAlias = Literal["frame", "utterance", "window", "conversation"]
RATES: tuple[Rate, ...] = get_args(Rate)

Modality: TypeAlias = Literal["video", "audio", "text", "metadata"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)

LOGITS = "logits"
"""The value `[1, K]` that every plan makes for each window."""

WEIGHED: tuple[str, ...] = MODALITIES[:3]
"""What the weights and the mask `present` tell about, in this order."""

WEIGHTS = "weights"
"""The value `[1, 3]` that tells how much video, audio and text contributed, where a plan makes it."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""Names of values, stages and graphs."""


@dataclass(frozen=True, slots=True)
class Source:
    """A value that preprocessing provides."""

    name: str
    modality: Modality | None
    """What it is made of, `None` for what is always there, such as a presence mask."""
    rate: Rate
    least: int = 1
    """Fewer frames, samples or tokens than this are as good as none: the graph cannot read them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One graph, run once for every frame, utterance, window or conversation."""

    name: str
    graph: str
    rate: Rate
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: tuple[Modality, ...] = ()
    """Without all of these the stage is skipped and its outputs are zeros of the declared shape, free dimensions 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages in the order in which they run.

    A frame-rate value holds one frame for each leading index; a stage of the window reads the stack `[1, T, ...]`.
    """

    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]

    @classmethod
    def checked(
        cls, sources: tuple[Source, ...], stages: tuple[Stage, ...], path: str | os.PathLike[str] = "plan"
    ) -> "Plan":
        """Return a plan that can run: every value is made once, before it is used, at a rate that fits.

        Raises `BundleError` that names `path`.
        """
        plan = cls(sources, stages)
        if problem := next(plan.problems(), None):
            raise BundleError(path, problem)
        return plan

    @property
    def rates(self) -> Mapping[str, Rate]:
        """The rate of every value."""
        made = {name: stage.rate for stage in self.stages for name in stage.outputs}
        return {source.name: source.rate for source in self.sources} | made

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What the plan can look at, in the usual order."""
        return tuple(m for m in MODALITIES if any(source.modality == m for source in self.sources))

    def problems(self) -> Iterator[str]:
        """Yield what keeps the plan from running."""
        names = [source.name for source in self.sources]
        yield from (f"two sources are called {name}" for name in sorted({n for n in names if names.count(n) > 1}))
        if len({source.modality for source in self.sources if source.rate == "frame"}) > 1:
            yield "the sources of the frame rate are of several modalities"
        for number, stage in enumerate(self.stages):
            earlier = Plan(self.sources, self.stages[:number])
            yield from (f"stage {stage.name} {problem}" for problem in earlier._obstacles(stage))
        if self.rates.get(LOGITS) != "window":
            yield f"no stage makes {LOGITS} for each window"

    def _obstacles(self, stage: Stage) -> Iterator[str]:
        """Yield what keeps a stage from running after those of this plan."""
        rates = self.rates
        if stage.name in {other.name for other in self.stages}:
            yield "has the name of an earlier stage"
        if stage.rate not in RATES:
            yield f"has the rate {stage.rate!r}, not one of {', '.join(RATES)}"
        if not stage.inputs or not stage.outputs:
            yield "reads nothing or makes nothing"
        if missing := [name for name in stage.inputs if name not in rates]:
            yield f"needs {', '.join(missing)}, which no earlier stage makes"
        if again := [n for n in stage.outputs if n in rates or stage.outputs.count(n) > 1]:
            yield f"makes {again[0]} a second time"
        if stage.rate != "window" and (other := [n for n in stage.inputs if rates.get(n, stage.rate) != stage.rate]):
            yield f"runs for each {stage.rate} and cannot read {other[0]}, a value of each {rates[other[0]]}"
        read = {source.modality for source in self.sources if source.name in stage.inputs and source.modality}
        if unstated := read - set(stage.needs):
            yield f"reads {', '.join(sorted(unstated))} and does not say that it needs it"
        if unknown := set(stage.needs) - set(self.modalities):
            yield f"needs {', '.join(sorted(unknown))}, which no source provides"

    def to_json(self) -> dict[str, object]:
        """Return the plan as a manifest carries it."""
        return {
            "sources": [
                {"name": s.name, "modality": s.modality, "rate": s.rate, "least": s.least} for s in self.sources
            ],
            "stages": [
                {
                    "name": stage.name,
                    "graph": stage.graph,
                    "rate": stage.rate,
                    "inputs": list(stage.inputs),
                    "outputs": list(stage.outputs),
                    "needs": list(stage.needs),
                }
                for stage in self.stages
            ],
        }

    @classmethod
    def from_json(cls, value: Value) -> "Plan":
        """Return the plan that `to_json` wrote; raise `BundleError` for anything else."""
        parts = value.members("sources", "stages")
        sources = tuple(_source(element) for element in parts["sources"].elements())
        return cls.checked(sources, tuple(_stage(element) for element in parts["stages"].elements()), value.path)


def _source(value: Value) -> Source:
    parts = value.members("name", "modality", "rate", "least")
    modality = None if parts["modality"].data is None else parts["modality"].among(MODALITIES)
    return Source(parts["name"].text(NAME), modality, parts["rate"].among(RATES), parts["least"].whole(1, 1 << 24))


def _stage(value: Value) -> Stage:
    parts = value.members("name", "graph", "rate", "inputs", "outputs", "needs")
    return Stage(
        parts["name"].text(NAME),
        parts["graph"].text(NAME),
        parts["rate"].among(RATES),
        parts["inputs"].texts(NAME),
        parts["outputs"].texts(NAME),
        tuple(element.among(MODALITIES) for element in parts["needs"].elements()),
    )
