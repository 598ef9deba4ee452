"""A prediction as plain values, the same in every format."""

import json
import math

from mmer.edge.prediction import Prediction

_DECIMALS = 6


def row(prediction: Prediction) -> dict[str, object]:
    """Return a prediction as JSON values; times are in seconds on the clip's clock."""
    return {
        "start_s": round(prediction.start_s, 3),
        "end_s": round(prediction.end_s, 3),
        "track": prediction.track,
        "active_speaker": prediction.active_speaker,
        "label": prediction.label,
        "probabilities": {label: round(p, _DECIMALS) for label, p in prediction.probabilities.items()},
        "present": dict(prediction.present),
        "weights": {name: round(weight, _DECIMALS) for name, weight in prediction.weights.items()},
        "quality": {name: round(value, _DECIMALS) for name, value in prediction.quality.items()},
    }


def json_line(source: str, prediction: Prediction, notice: str | None = None) -> str:
    """Return one line of JSON that names the source and says the model's notice, if it has one."""
    said = {} if notice is None else {"notice": notice}
    return json.dumps({"source": source, **row(prediction), **said}, ensure_ascii=False, allow_nan=False)


def clock(time_s: float) -> str:
    """Return a moment as `m:ss.s`, or `h:mm:ss.s` from an hour on."""
    tenths = math.floor(time_s * 10 + 0.5)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"
