"""What mmer makes of the same file and the same stills, for the processor that it runs on."""

import numpy as np
from collapses.network import INPUT, OUTPUT, Float

from mmer.calibration.judgement.judge import Judgement, Subject, judge
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.targets.targets import recipes_for
from mmer.edge.backends.ort import OrtSession
from mmer.edge.bundle.golden import Case
from mmer.edge.doctor.examine import processor

_FRESH = 8
"""Of so many stills one judges what the others made."""


def ours(float_: Float) -> Judgement:
    """Return both forms and what was found about them."""
    places = np.arange(len(float_.stills)) % _FRESH
    made_from = [{INPUT: still} for still, place in zip(float_.stills, places, strict=True) if place]
    fresh = [{INPUT: still} for still, place in zip(float_.stills, places, strict=True) if not place]
    case = Case(fresh[0], OrtSession.open(float_.content).run(fresh[0]))
    subject = Subject(OUTPUT, float_.content, (case,), lambda: made_from, fresh)
    return judge(subject, recipes_for((), processor().features), CalibrationSettings())
