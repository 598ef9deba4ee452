"""Which layers of a graph are quantised: those that save most for the error they bring, as far as a bound allows.

All of them in most trained graphs. Where not, one layer at a time shows what each costs, layers that share a weight
together; then the longest run of the best ones that keeps the bound is found by bisection.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmer.calibration.emit import Basis, emitted
from mmer.calibration.graph.network import attributes
from mmer.calibration.graph.sites import Site
from mmer.calibration.judgement.check import Rows, outputs, worst_cosine
from mmer.calibration.recipe import Recipe
from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors

_RESERVE = 0.8
"""The share of the bound that may be used up here: other windows are to judge."""
_LEAST_ERROR = 1e-7

Sites = Mapping[str, Site]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What is needed to try some sites of a network."""

    basis: Basis
    recipe: Recipe
    inputs: Sequence[Tensors]
    expected: Rows
    """What the float graph makes of the inputs."""

    def content(self, chosen: Sites) -> bytes:
        """Return the network with these sites quantised."""
        return emitted(self.basis, chosen, self.recipe)

    def error(self, chosen: Sites) -> float:
        """Return how far the centred cosine is from 1, as it is of anything that the runtime refuses."""
        try:
            found = outputs(self.content(chosen), self.inputs)
        except DeviceError:
            return 1.0
        return 1 - worst_cosine(self.expected, found)


def selected(trial: Trial, least: float) -> Sites:
    """Return sites that together keep a centred cosine of `least`; empty when hardly one does."""
    found, allowed = trial.recipe.sites(trial.basis.network), _RESERVE * (1 - least)
    if trial.error(found) <= allowed:
        return found
    ranked = _ranked(trial, _shared(found))
    fits, fails = 0, len(ranked)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if trial.error(_union(ranked[:middle])) <= allowed:
            fits = middle
        else:
            fails = middle
    return _union(ranked[:fits])


def _ranked(trial: Trial, groups: Sequence[Sites]) -> list[Sites]:
    """Return groups with the most multiplications for their error first."""
    costs = [max(trial.error(group), _LEAST_ERROR) / sum(_work(trial, s) for s in group.values()) for group in groups]
    return [group for _, group in sorted(zip(costs, groups, strict=True), key=lambda pair: pair[0])]


def _shared(found: Sites) -> list[Sites]:
    """Return the sites in groups that share a weight: one that stays float in some layers would be there twice."""
    groups: dict[str, dict[str, Site]] = {}
    for output, site in found.items():
        groups.setdefault(site.weight, {})[output] = site
    return list(groups.values())


def _work(trial: Trial, site: Site) -> float:
    """Return the multiplications of a site over all that was seen, borders left aside."""
    network, seen = trial.basis.network, trial.basis.observed.seen[site.input]
    strides = attributes(network.producers[site.output]).get("strides", [1])
    return float(network.weights[site.weight].size * seen.count / math.prod(strides))


def _union(groups: Sequence[Sites]) -> Sites:
    return {output: site for group in groups for output, site in group.items()}
