"""What tensors hold over many samples: a few tensors in each pass, and nothing of a sample is kept."""

from collections.abc import Callable, Iterator, Mapping

from mmer.calibration.graph.network import Network, attributes
from mmer.calibration.graph.sites import readings, sites
from mmer.calibration.observation.memory import Known, Memory
from mmer.calibration.observation.observed import Observed
from mmer.calibration.observation.passes import Again, groups, values, watch
from mmer.calibration.observation.ranges import Seen
from mmer.calibration.observation.statistics import Statistics, Tally
from mmer.edge.errors import DataError
from mmer.edge.heap import be_frugal
from mmer.edge.tensors import Tensors

Step = Callable[[int, int], None]
"""Hears how many samples have been run, and of how many, over all passes."""


class UnfitError(DataError):
    """What is remembered of a tensor cannot be of this graph."""

    def __init__(self, tensor: str, channels: int) -> None:
        super().__init__(f"ranges of {tensor} are not of {channels} channels, as the graph has; calibrate without them")


def observe(
    network: Network,
    inputs: Again,
    method: str = "minmax",
    memory: Memory | None = None,
    step: Step = lambda _done, _of: None,
) -> Observed:
    """Return what emission needs, whichever sites it takes; what is remembered is not looked at again."""
    be_frugal()
    memory = Known() if memory is None else memory
    axes, known = watched(network), dict(memory.recall())
    _require_fitting(network, known)
    if axes.keys() <= known.keys():
        return Observed({name: known[name] for name in axes}, method)
    passes = groups(network, axes, inputs)
    steps = _Steps(step, len(passes) * sum(1 for _ in inputs()))
    for names in passes:
        if not known.keys() >= set(names):
            found = _looked(network, {name: axes[name] for name in names}, lambda: steps.over(inputs))
            memory.keep(found)
            known |= found
        else:
            steps.skip(len(passes))
    return Observed({name: known[name] for name in axes if name in known}, method)


def _require_fitting(network: Network, known: Mapping[str, Statistics]) -> None:
    """Raise `UnfitError` when what is remembered has other channels than layers read."""
    for site in sites(network).values():
        shape = network.weights[site.weight].shape
        stated = attributes(network.producers[site.output]).get("group", 1)
        channels = shape[1 - site.axis] if site.last else shape[1] * stated
        kept = known.get(site.input)
        if kept is not None and (len(kept.seen.low) != channels or (kept.centred is None) == site.last):
            raise UnfitError(site.input, channels)


class _Steps:
    """Counts samples of all passes."""

    def __init__(self, step: Step, total: int) -> None:
        self._step, self._total, self._done = step, total, 0

    def over(self, inputs: Again) -> Iterator[Tensors]:
        """Yield the samples, each counted once it has been run."""
        for sample in inputs():
            yield sample
            self._done += 1
            self._step(self._done, self._total)

    def skip(self, passes: int) -> None:
        """Count a pass that is not made."""
        self._done += self._total // passes
        self._step(self._done, self._total)


def watched(network: Network) -> Mapping[str, int | None]:
    """Return the tensors that levels may be made for, each with the axis along which its channels lie."""
    found = sites(network)
    return readings(network, found)


def extremes(network: Network, axes: Mapping[str, int | None], inputs: Again) -> Mapping[str, Seen]:
    """Return what was seen of tensors, each by the channels along its axis."""
    found: dict[str, Seen] = {}
    for name, array in values(network, axes, inputs):
        seen = Seen.of(array, axes[name])
        found[name] = found[name] | seen if name in found else seen
    return found


def _looked(network: Network, axes: Mapping[str, int | None], inputs: Again) -> Mapping[str, Statistics]:
    """Return the statistics of tensors that are watched together."""
    tallies = {name: Tally(name, axis) for name, axis in axes.items()}
    watching = watch(network, tuple(axes))
    for sample in inputs():
        for name, array in watching.values(sample):
            tallies[name].add(array)
    return {name: made for name, tally in tallies.items() if (made := tally.finished())}
