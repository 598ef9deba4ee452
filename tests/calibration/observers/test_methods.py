import numpy as np
import onnx
import pytest
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from mmer.calibration.graph.network import Network, tensors
from mmer.calibration.observation.passes import values
from mmer.calibration.observation.statistics import Tally
from mmer.calibration.observers import entropy, percentile
from mmer.calibration.observers.methods import METHODS


class Reader(CalibrationDataReader):
    def __init__(self, samples):
        self._samples = iter(samples)

    def get_next(self):
        return next(self._samples, None)


@pytest.fixture
def calibrated(tmp_path):
    """What ONNX Runtime makes of all samples at once, or of one after the other."""

    def of(model, samples, method, options, *, parts=False, around=None):
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        calibrator = create_calibrator(
            path, around, str(tmp_path / "augmented.onnx"), CalibrationMethod[method], extra_options=options
        )
        for given in [[sample] for sample in samples] if parts else [samples]:
            calibrator.collect_data(Reader(given))
        return {
            name: tuple(float(np.squeeze(value)) for value in data.range_value)
            for name, data in calibrator.compute_data().items()
        }

    return of


@pytest.fixture
def samples():
    """Of one shape, which ONNX Runtime's histograms need; the first holds what is largest."""
    rng = np.random.default_rng(5)
    drawn = [rng.standard_t(4, (1, 240, 32)) * rng.uniform(0.3, 1) + 0.4 for _ in range(24)]
    peak = max(np.abs(sample).max() for sample in drawn)
    drawn[0][0, 0, 0] = 1.01 * peak
    return [{"x": sample.astype("f4")} for sample in drawn]


OPTIONS = {
    "minmax": ("MinMax", {}),
    "average": ("MinMax", {"moving_average": True}),
    "moving": ("MinMax", {"moving_average": True}),
    "percentile": ("Percentile", {"percentile": 100 * percentile.INSIDE, "num_bins": 8192, "symmetric": False}),
}


@pytest.mark.parametrize("method", OPTIONS)
def test_ranges_are_those_of_onnx_runtime_within_one_percent(transformer, samples, calibrated, method):
    name, options = OPTIONS[method]
    theirs = calibrated(transformer, samples, name, options, parts=method == "moving")
    assert_alike(looked(transformer, samples), theirs, method)


def test_entropy_is_that_of_onnx_runtime_given_all_at_once(convolutions, draw, calibrated):
    images = draw(200, 1, 3, 24, 24)
    together = [{"x": np.concatenate([image["x"] for image in images])}]
    options = {"num_bins": entropy.BINS, "num_quantized_bins": entropy.LEVELS}
    theirs = calibrated(convolutions, together, "Entropy", options, around=["MaxPool"])
    assert_alike(looked(convolutions, images), theirs, "entropy")


def assert_alike(ours, theirs, method):
    found = {name: METHODS[method](kept, centred=False) for name, kept in ours.items()}
    shared = found.keys() & theirs.keys()
    assert len(shared) > 3
    for name in shared:
        low, high = theirs[name]
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=0.01 * (high - low)), name


def looked(model, samples):
    """Statistics of every tensor of a graph, by channel."""
    network = Network.of(model)
    names = ["x", *(n for n in tensors(network) if network.maker(n) != "Shape")]
    tallies = {name: Tally(name, -1) for name in names}
    for name, array in values(network, names, lambda: samples):
        tallies[name].add(array)
    return {name: tally.finished() for name, tally in tallies.items()}


@pytest.fixture
def statistics():
    """Of ten thousand normal values in each of four channels, their means far apart, with one peak."""
    rng = np.random.default_rng(2)
    rows = (rng.normal(0, 1, (10_000, 4)) + np.array([0, 10, 20, 30])).astype("f4")
    rows[0, 0] = -300
    tally = Tally("rows", -1)
    for part in np.split(rows, 10):
        tally.add(part)
    return tally.finished()


def test_centred_ranges_cover_the_distances_from_the_mean(statistics):
    found = METHODS["percentile"](statistics, centred=True)
    assert (found.low, found.high) == pytest.approx((-3.9, 3.9), abs=0.4)  # bins are 0.25 wide
    plain = METHODS["percentile"](statistics, centred=False)
    assert plain.high == pytest.approx(33.5, abs=0.5)


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_a_rare_peak_is_cut_off(statistics, method):
    assert METHODS["minmax"](statistics, centred=True).low < -290
    assert METHODS[method](statistics, centred=True).low > -100


@pytest.mark.parametrize("method", METHODS)
def test_no_method_goes_beyond_what_was_seen(statistics, method):
    for centred in (False, True):
        seen, found = statistics.seen.range(centred=centred), METHODS[method](statistics, centred=centred)
        assert seen.low <= found.low <= found.high <= seen.high


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 3.0, -1e-30])
def test_a_tensor_that_never_changes_has_a_range(method, value):
    tally = Tally("constant", -1)
    tally.add(np.full((5, 3), value, "f4"))
    found = METHODS[method](tally.finished(), centred=False)
    assert (found.low, found.high) == pytest.approx((np.float32(value), np.float32(value)))


def test_mse_weighs_rounding_against_cutting_off():
    rng = np.random.default_rng(3)
    rows = rng.standard_t(2.5, (50_000, 1)).astype("f4")
    tally = Tally("rows", -1)
    tally.add(rows)

    def error(covered):
        low, high = min(covered.low, 0), max(covered.high, 0)
        step = (high - low) / 255
        levels = np.rint((np.clip(rows, low, high) - low) / step)
        return float(np.mean((levels * step + low - rows) ** 2))

    statistics = tally.finished()
    errors = {name: error(method(statistics, centred=False)) for name, method in METHODS.items()}
    assert min(errors, key=errors.get) == "mse"
