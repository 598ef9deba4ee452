"""From a model's logits to an answer."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bundle.manifest import Head, Task
from mmer.edge.bundle.plan import LOGITS, WEIGHED, WEIGHTS
from mmer.edge.errors import DeviceError
from mmer.edge.pipeline.window import Window
from mmer.edge.prediction import Prediction
from mmer.edge.tensors import Tensors

Wide = NDArray[np.float64]


def predict(window: Window, present: Mapping[str, bool], outputs: Tensors, head: Head) -> Prediction:
    """Return the answer for a window; raise `DeviceError` when the model's outputs are not finite."""
    logits = outputs[LOGITS][0].astype(np.float64)
    if not all(np.isfinite(array).all() for array in outputs.values()):
        raise DeviceError("the model's answer is not finite; use another precision or backend, and run mmer verify")
    probabilities = _ACTIVATIONS[head.task](logits / head.temperature)
    return Prediction(
        window.start_s,
        window.end_s,
        label=head.labels[int(probabilities.argmax())],
        probabilities=dict(zip(head.labels, probabilities.tolist(), strict=True)),
        present=present,
        track=window.track,
        weights=dict(zip(WEIGHED, outputs[WEIGHTS][0].tolist(), strict=True)) if WEIGHTS in outputs else {},
    )


def nothing_to_look_at(window: Window) -> Prediction:
    """Return the answer for a window in which no modality is present."""
    return Prediction(window.start_s, window.end_s, None, {}, dict.fromkeys(WEIGHED, False), window.track)


def _softmax(logits: Wide) -> Wide:
    powers = np.exp(logits - logits.max())
    shares: Wide = powers / powers.sum()
    return shares


def _sigmoid(logits: Wide) -> Wide:
    shares: Wide = 0.5 * (1 + np.tanh(0.5 * logits))
    return shares


_ACTIVATIONS: Mapping[Task, Callable[[Wide], Wide]] = {"multiclass": _softmax, "multilabel": _sigmoid}
"""A prediction names the likeliest label; the thresholds of a `multilabel` head tell metrics which labels hold."""
