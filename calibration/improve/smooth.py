"""Channels of unlike size made alike before they are put on levels, as far as a layer's own output gains from it.

`x / s` meets `s * W`, with `s = max|x|^a / max|w|^(1 - a)` for each channel, and `a` chosen for each joint by the error
that levels make in what its layers give. In float nothing changes but the last place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from mmer.calibration.graph.network import Network
from mmer.calibration.graph.sites import Scale, Site, scales
from mmer.calibration.improve.edit import Edit
from mmer.calibration.improve.factors import Factors
from mmer.calibration.improve.joints import Joint, joints
from mmer.calibration.improve.loss import by_columns, by_rows, on_levels, read_error, restored
from mmer.calibration.improve.probe import Probe, probes
from mmer.calibration.observation.passes import Again
from mmer.calibration.observation.ranges import Range, Wide

_SHARES = (0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
"""Of the difference between channels, what moves from the input to the weight."""
_GAIN = 0.9
"""To what share the squared error must fall."""
_STEPS = 255
_LEAST = 1e-5
"""Channels smaller than this share of the largest are taken for as large."""


@dataclass(frozen=True, slots=True, eq=False)
class Smoothing:
    """What is to be done at one group of joints."""

    group: Sequence[Joint]
    factors: Wide
    """By which the inputs `[C]` are divided and the weights multiplied."""
    share: float
    before: float
    """The squared error of what the layers give, as a share of its variance."""
    after: float

    @property
    def kept(self) -> Factors:
        """What another calibration needs to do the same."""
        return Factors(tuple(joint.tensor for joint in self.group), self.factors)

    def to_json(self) -> dict[str, object]:
        """Return what can be written down."""
        tensors = [joint.tensor for joint in self.group]
        folds = [joint.fold.op_type for joint in self.group]
        return {"tensors": tensors, "into": folds, "share": self.share, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    network: Network
    probes: Mapping[str, Probe]
    scales: Mapping[str, Scale]
    bits: int


def smoothings(network: Network, found: Mapping[str, Site], inputs: Again, bits: int) -> tuple[Smoothing, ...]:
    """Return the factors that are worth it, for weights of so many bits."""
    groups = joints(network, found)
    if not groups:
        return ()
    read = [site for group in groups for joint in group for site in joint.sites]
    trial = _Trial(network, probes(network, read, inputs), scales(network, found), bits)
    return tuple(chosen for group in groups if (chosen := _chosen(group, trial)))


def smoothed(network: Network, plan: Sequence[tuple[Sequence[Joint], Wide]]) -> Network:
    """Return a network that computes the same in float, the inputs of each group divided by its factors."""
    edit = Edit(network)
    for group, factors in plan:
        _apply(group, factors, edit)
    return edit.finished() if plan else network


def _chosen(group: Sequence[Joint], trial: _Trial) -> Smoothing | None:
    """Return the factors that gain most, `None` when they gain too little."""
    if all(_depthwise(site, trial.network) for joint in group for site in joint.sites):
        return _even(group, trial)
    if any(site.output not in trial.probes[joint.tensor].rows for joint in group for site in joint.sites):
        return None
    peaks = _peaks(group, trial)
    heights = _heights(group, peaks, trial)
    candidates = {share: _balanced(peaks, heights, share) for share in _SHARES}
    before = _error(group, np.ones_like(peaks), trial)
    after, share = min((_error(group, factors, trial), share) for share, factors in candidates.items())
    found = Smoothing(group, candidates[share], share, before, after)
    return found if after < _GAIN * before else None


def _even(group: Sequence[Joint], trial: _Trial) -> Smoothing | None:
    """Return factors that make channels equal: filters that read one channel each lose nothing by them."""
    peaks = _peaks(group, trial)
    before, after = float(np.mean((peaks.max() / peaks / _STEPS) ** 2)), _STEPS**-2
    return (
        Smoothing(group, _balanced(peaks, np.ones_like(peaks), 1.0), 1.0, before, after)
        if after < _GAIN * before
        else None
    )


def _depthwise(site: Site, network: Network) -> bool:
    return not site.last and network.weights[site.weight].shape[1] == 1


def _balanced(peaks: Wide, heights: Wide, share: float) -> Wide:
    """Return `s` about 1."""
    factors = peaks**share / heights ** (1 - share)
    return np.asarray(factors / np.exp(np.log(factors).mean()))


def _peaks(group: Sequence[Joint], trial: _Trial) -> Wide:
    """Return the largest magnitude of each input channel `[C]`, as it is put on levels."""
    found = [np.maximum(np.abs(low), np.abs(high)) for low, high in (_ends(joint, trial) for joint in group)]
    return _positive(np.max(found, axis=0))


def _ends(joint: Joint, trial: _Trial) -> tuple[Wide, Wide]:
    seen = trial.probes[joint.tensor].seen
    shift = seen.mean if trial.scales[joint.tensor].centred else np.zeros_like(seen.low)
    return seen.low - shift, seen.high - shift


def _heights(group: Sequence[Joint], peaks: Wide, trial: _Trial) -> Wide:
    """Return the largest weight of each input channel `[C]`, every output's as a share of what that output may reach.

    Each output channel has levels of its own, so what all of its weights have in common does not count.
    """
    found = []
    for site in (site for joint in group for site in joint.sites):
        rows = np.abs(by_rows(trial.network.weights[site.weight], site.axis)).astype(np.float64)
        reached = _positive((rows * by_columns(peaks, rows.shape[1])).max(axis=1))
        found.append((rows / reached[:, np.newaxis]).max(axis=0).reshape(len(peaks), -1).max(axis=1))
    return _positive(np.max(found, axis=0))


def _positive(sizes: Wide) -> Wide:
    most = float(sizes.max()) or 1.0
    return np.asarray(np.where(sizes > _LEAST * most, sizes, most), np.float64)


def _error(group: Sequence[Joint], factors: Wide, trial: _Trial) -> float:
    """Return the mean error of the layers of a group."""
    return float(np.mean([error for joint in group for error in _errors(joint, factors, trial)]))


def _errors(joint: Joint, factors: Wide, trial: _Trial) -> Iterator[float]:
    probe, centred = trial.probes[joint.tensor], trial.scales[joint.tensor].centred
    low, high = _ends(joint, trial)
    covered = Range(float((low / factors).min()), float((high / factors).max()))
    for site in joint.sites:
        read = probe.rows[site.output].astype(np.float64)
        mean, spread = (by_columns(each, read.shape[1]) for each in (probe.seen.mean, factors))
        exact = (read - mean) / spread
        shown = on_levels(exact, covered) if centred else on_levels(read / spread, covered) - mean / spread
        weight = trial.network.weights[site.weight] * _across(site, factors, trial.network)
        yield read_error(exact, shown, by_rows(weight, site.axis), restored(weight, site.axis, trial.bits))


def _across(site: Site, factors: Wide, network: Network) -> Wide:
    """Return the factors of input channels in a shape that multiplies a site's weight."""
    weight = network.weights[site.weight]
    if site.last:
        return factors[:, np.newaxis] if site.axis else factors
    outputs, read = weight.shape[:2]
    groups = len(factors) // read
    spread = factors.reshape(groups, read).repeat(outputs // groups, axis=0)
    return spread.reshape(outputs, read, *[1] * (weight.ndim - 2))


def _apply(group: Sequence[Joint], factors: Wide, edit: Edit) -> None:
    for joint in group:
        _fold(joint.fold, 1 / factors, edit)
    sites = {site.weight: site for joint in group for site in joint.sites}
    for site in sites.values():
        edit.matrix(site.weight, _across(site, factors, edit.network))


def _fold(node: onnx.NodeProto, factors: Wide, edit: Edit) -> None:
    """Multiply what a norm or layer gives."""
    vectors = [name for name in node.input[1:] if name]
    if node.op_type != "LayerNormalization":
        weight = vectors.pop(0)
        transposed = node.op_type == "Gemm" and not _transposed(node)
        shape = [1] * edit.network.weights[weight].ndim
        shape[1 if transposed else 0] = -1
        edit.matrix(weight, factors.reshape(shape))
    for name in vectors:
        edit.vector(node, name, factors)


def _transposed(node: onnx.NodeProto) -> bool:
    return any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
