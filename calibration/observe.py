"""What tensors hold over many samples: a few tensors in each pass, and nothing of a sample is kept."""

from collections.abc import Callable, Mapping

from mmer.calibration.network import Network
from mmer.calibration.observed import Observed
from mmer.calibration.passes import Again, groups, values, watch
from mmer.calibration.ranges import Seen
from mmer.calibration.sites import readings, sites
from mmer.calibration.statistics import Statistics, Tally
from mmer.edge.heap import be_frugal

Step = Callable[[int, int], None]
"""Hears how many passes are done, and of how many."""

Remembered = Callable[[tuple[str, ...], Callable[[], Mapping[str, Statistics]]], Mapping[str, Statistics]]
"""Gives what an earlier run kept of a pass, else what the function makes of it."""


def observe(
    network: Network,
    inputs: Again,
    method: str = "minmax",
    step: Step = lambda _done, _of: None,
    remembered: Remembered = lambda _names, made: made(),
) -> Observed:
    """Return what emission needs, whichever sites it takes."""
    be_frugal()
    axes = watched(network)
    passes = groups(network, axes, inputs)
    found: dict[str, Statistics] = {}
    for done, names in enumerate(passes, 1):
        found |= remembered(names, lambda names=names: _looked(network, names, axes, inputs))  # type: ignore[misc]
        step(done, len(passes))
    return Observed(found, method)


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


def _looked(
    network: Network, names: tuple[str, ...], axes: Mapping[str, int | None], inputs: Again
) -> Mapping[str, Statistics]:
    """Return the statistics of tensors that are watched together."""
    tallies = {name: Tally(name, axes[name]) for name in names}
    watching = watch(network, names)
    for sample in inputs():
        for name, array in watching.values(sample):
            tallies[name].add(array)
    return {name: made for name, tally in tallies.items() if (made := tally.finished())}
