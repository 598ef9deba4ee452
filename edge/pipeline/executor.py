"""Runs the plan of a bundle over sessions; it knows no architecture.

Every value carries a key that stands for its content. A stage whose inputs have keys that it has met before is not
run again, so what is computed for a frame, a text or a stretch of sound is computed once, however many windows and
people share it.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mmer.edge.backends.session import Session
from mmer.edge.bundle.graph import Graph
from mmer.edge.bundle.plan import Plan, Stage
from mmer.edge.pipeline.recent import Recent
from mmer.edge.pipeline.stopwatch import Stopwatch
from mmer.edge.tensors import Tensors, TensorSpec


@dataclass(frozen=True, slots=True)
class Item:
    """An array that is made when it is needed."""

    key: Hashable
    """Equal keys under one name mean equal arrays."""
    make: Callable[[], NDArray[Any]]


Values: TypeAlias = Mapping[str, Sequence[Item]]
"""By name. At the frame rate one item for each frame in order, its array without a leading axis; else one item."""

_Outputs: TypeAlias = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """How many results each stage remembers, by its rate."""

    frames: int = 256
    """Eight faces of eight frames, four times."""
    others: int = 16


class Executor:
    """One plan and the sessions of its graphs; for one thread."""

    def __init__(
        self, plan: Plan, graphs: Mapping[str, Graph], sessions: Mapping[str, Session], kept: Kept = Kept()
    ) -> None:
        self._plan = plan
        self._graphs = graphs
        self._sessions = sessions
        self._rates = plan.rates
        self._sources = {m: [s.name for s in plan.sources if s.modality == m] for m in plan.modalities}
        self._known: dict[str, Recent[_Outputs]] = {
            stage.name: Recent(kept.frames if stage.rate == "frame" else kept.others) for stage in plan.stages
        }
        self._watches = {stage.name: Stopwatch() for stage in plan.stages}

    def run(self, sources: Values) -> Tensors:
        """Return every value that a stage makes for the window; the arrays may be shared and are not to be changed.

        A modality of which some source is missing or has no item is absent.
        """
        present = {modality for modality, names in self._sources.items() if all(sources.get(name) for name in names)}
        values = dict(sources)
        for stage in self._plan.stages:
            if not present.issuperset(stage.needs):
                values |= self._absent(stage)
            elif stage.rate == "frame":
                values |= self._frames(stage, values)
            else:
                values |= self._single(stage, values)
        made = [name for stage in self._plan.stages if stage.rate == "window" for name in stage.outputs]
        return {name: values[name][0].make() for name in made}

    @property
    def timing(self) -> Mapping[str, Mapping[str, float]]:
        """Calls and times of each stage; what came from memory is no call."""
        return {name: watch.to_json() for name, watch in self._watches.items()}

    @property
    def watches(self) -> Mapping[str, Stopwatch]:
        """The watch of each stage."""
        return self._watches

    def _absent(self, stage: Stage) -> Values:
        """Return zeros in place of what a stage makes."""
        leading = 1 if stage.rate == "frame" else 0
        specs = self._graphs[stage.graph].outputs
        return {spec.name: (Item("absent", partial(_zeros, spec, leading)),) for spec in specs}

    def _frames(self, stage: Stage, values: Values) -> Values:
        """Run a stage once for all frames that it does not know yet."""
        frames = list(zip(*(values[name] for name in stage.inputs), strict=True))
        keys = [tuple(item.key for item in frame) for frame in frames]
        known = {key: self._known[stage.name].get(key) for key in keys}
        found: dict[Hashable, _Outputs] = {key: outputs for key, outputs in known.items() if outputs is not None}
        if new := {key: frame for key, frame in zip(keys, frames, strict=True) if key not in found}:
            columns = zip(*new.values(), strict=True)
            inputs = {name: _stack(items) for name, items in zip(stage.inputs, columns, strict=True)}
            outputs = self._call(stage, inputs)
            found |= {key: tuple(array[i].copy() for array in outputs) for i, key in enumerate(new)}
        return self._remembered(stage, found, keys)

    def _single(self, stage: Stage, values: Values) -> Values:
        """Run a stage unless it has met these inputs before."""
        key = tuple(tuple(item.key for item in values[name]) for name in stage.inputs)
        found = self._known[stage.name].get(key)
        if found is None:
            outputs = self._call(stage, {name: self._joined(name, values[name]) for name in stage.inputs})
            found = tuple(array.copy() for array in outputs)
        return self._remembered(stage, {key: found}, [key])

    def _joined(self, name: str, items: Sequence[Item]) -> NDArray[Any]:
        return _stack(items)[np.newaxis] if self._rates[name] == "frame" else items[0].make()

    def _call(self, stage: Stage, inputs: Tensors) -> _Outputs:
        """Run a stage; the arrays may be the session's own and hold something else after the next call."""
        with self._watches[stage.name].running():
            outputs = self._sessions[stage.graph].run(inputs)
        return tuple(outputs[name] for name in stage.outputs)

    def _remembered(self, stage: Stage, found: Mapping[Hashable, _Outputs], keys: Sequence[Hashable]) -> Values:
        """Keep what was found and return the items of the stage's outputs in the order of the keys."""
        for key, outputs in found.items():
            self._known[stage.name].put(key, outputs)
        return {
            name: [Item((stage.name, key), partial(np.asarray, found[key][i])) for key in keys]
            for i, name in enumerate(stage.outputs)
        }


def _stack(items: Sequence[Item]) -> NDArray[Any]:
    return np.stack([item.make() for item in items])


def _zeros(spec: TensorSpec, leading: int) -> NDArray[Any]:
    """Return zeros of the declared shape without its leading axes, free dimensions 1."""
    return np.zeros([d if isinstance(d, int) else 1 for d in spec.shape[leading:]], spec.dtype)
