"""A plan is checked before anything runs."""

import pytest

from mmer.edge.bundle.plan import Plan, Source, Stage
from mmer.edge.errors import BundleError

CROPS = Source("crops", "video", "frame")
SAMPLES = Source("samples", "audio", "window")
PRESENT = Source("present", None, "window")
FRAME = Stage("frame", "frame", "frame", ("crops",), ("features",), ("video",))
FUSION = Stage("fusion", "fusion", "window", ("features", "present"), ("logits",))


def test_a_plan_knows_the_rate_of_every_value():
    plan = Plan.checked((CROPS, PRESENT), (FRAME, FUSION))
    assert plan.rates == {"crops": "frame", "present": "window", "features": "frame", "logits": "window"}


def test_modalities_are_named_in_the_usual_order():
    assert Plan((SAMPLES, PRESENT, CROPS), ()).modalities == ("video", "audio")


def one(source: Source, **changes) -> Plan:
    """A plan of one stage that reads the source."""
    facts = {"name": "s", "graph": "g", "rate": "window", "inputs": (source.name,), "outputs": ("logits",), "needs": ()}
    return Plan((source,), (Stage(**{**facts, **changes}),))


AGAIN = Stage("again", "frame", "frame", ("crops",), ("features",), ("video",))


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (Plan((CROPS, CROPS, PRESENT), (FRAME, FUSION)), "two sources are called crops"),
        (Plan((CROPS, Source("depth", "metadata", "frame")), (FRAME,)), "of several modalities"),
        (Plan((CROPS, PRESENT), (FUSION, FRAME)), "stage fusion needs features, which no earlier stage makes"),
        (Plan((CROPS, PRESENT), (FRAME, FRAME, FUSION)), "has the name of an earlier stage"),
        (Plan((CROPS, PRESENT), (FRAME, AGAIN)), "stage again makes features a second time"),
        (one(PRESENT, outputs=("logits", "logits")), "makes logits a second time"),
        (one(PRESENT, rate="frame"), "runs for each frame and cannot read present, a value of each window"),
        (one(SAMPLES), "reads audio and does not say that it needs it"),
        (one(PRESENT, needs=("text",)), "needs text, which no source provides"),
        (one(PRESENT, inputs=()), "reads nothing"),
        (one(PRESENT, rate="daily"), "rate 'daily'"),
        (one(PRESENT, outputs=("scores",)), "no stage makes logits for each window"),
    ],
)
def test_a_plan_that_cannot_run_is_refused(plan, problem):
    with pytest.raises(BundleError, match=problem):
        Plan.checked(plan.sources, plan.stages)
