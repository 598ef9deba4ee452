"""A float graph made easier to put on levels, as far as samples that nothing was made from confirm it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from mmer.calibration.emit import Basis, emitted
from mmer.calibration.graph.network import Network
from mmer.calibration.graph.sites import sites
from mmer.calibration.improve.factors import Factors, FactorsError
from mmer.calibration.improve.joints import joints
from mmer.calibration.improve.smooth import Smoothing, smoothed, smoothings
from mmer.calibration.judgement.check import outputs, worst_cosine
from mmer.calibration.observation.observe import observe
from mmer.calibration.observation.passes import Again
from mmer.calibration.recipe import Peaks, Recipe
from mmer.calibration.weights.levels import Channels
from mmer.edge.errors import DeviceError
from mmer.edge.tensors import Tensors

T = TypeVar("T")

_GAIN = 0.9
"""To what share the error of the whole graph must fall: a few samples tell no smaller gain from chance."""
_SEEN = 48
"""Samples that the ranges of a trial are taken from."""


@dataclass(frozen=True, slots=True, eq=False)
class Improved:
    """A network that computes what another does, and by which changes."""

    network: Network
    factors: tuple[Factors, ...] = ()
    notes: tuple[Smoothing, ...] = ()
    """How the factors were found; none where they are of an earlier calibration."""

    def to_json(self) -> list[dict[str, object]]:
        """Return what was done."""
        return [note.to_json() for note in self.notes] or [{"tensors": list(f.tensors)} for f in self.factors]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What an improvement is found with."""

    inputs: Again
    tried: Sequence[Tensors]
    """Others, that decide."""
    recipe: Recipe
    peaks: Peaks


def improved(network: Network, material: Material) -> Improved:
    """Return the network with the changes, none among them, that lose least on the samples that decide."""
    found = smoothings(network, sites(network), material.inputs, material.recipe.weight_bits)
    if not found:
        return Improved(network)
    seen = list(islice(material.inputs(), _SEEN))
    expected = outputs(network.contained(), material.tried)
    changed = smoothed(network, [(note.group, note.factors) for note in found])
    candidate = Improved(changed, tuple(note.kept for note in found), found)

    def error(plan: Improved) -> float:
        try:
            made = outputs(_roughly(plan.network, seen, material), material.tried)
        except DeviceError:
            return 1.0
        return 1 - worst_cosine(expected, made)

    return confirmed(Improved(network), candidate, error)


def repeated(network: Network, factors: Sequence[Factors]) -> Improved:
    """Return the network with the changes of an earlier calibration; raise `FactorsError` where they do not fit."""
    groups = {tuple(joint.tensor for joint in group): group for group in joints(network, sites(network))}
    plan = []
    for each in factors:
        group = groups.get(each.tensors)
        if group is None or any(joint.channels(network) != len(each.values) for joint in group):
            raise FactorsError(
                f"{len(each.values)} values for {', '.join(each.tensors)[:80]} fit nothing in this graph"
            )
        plan.append((group, each.values))
    return Improved(smoothed(network, plan), tuple(factors))


def confirmed(plain: T, candidate: T, error: Callable[[T], float]) -> T:
    """Return the candidate if its error is clearly below that of the plain one."""
    return candidate if error(candidate) < _GAIN * error(plain) else plain


def _roughly(network: Network, inputs: Sequence[Tensors], material: Material) -> bytes:
    """Return the network with all sites quantised from a few samples, weights to the nearest level."""
    found, bits = material.recipe.sites(network), material.recipe.weight_bits
    places = {(site.weight, site.axis) for site in found.values()}
    levels = {(name, axis): Channels.of(network.weights[name], axis, bits) for name, axis in places}
    basis = Basis(network, observe(network, lambda: inputs), {bits: levels}, material.peaks)
    return emitted(basis, found, material.recipe)
