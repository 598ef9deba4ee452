"""The explanation of an answer that a bundle gives: by ablation, since graphs tell nothing of their inside."""

import numpy as np
from numpy.typing import NDArray

from mmer.edge.bundle.bundle import Bundle
from mmer.edge.errors import SettingError
from mmer.edge.explain.ablation import Kept, ablate
from mmer.edge.explain.explanation import Explanation
from mmer.edge.explain.scene import Moment, scene
from mmer.edge.launch import RunOptions, open_sessions
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.predict import predict
from mmer.edge.prediction import Prediction


def explain_bundle(bundle: Bundle, moment: Moment, label: str | None = None) -> Explanation:
    """Explain a label of a window, or the likeliest; raise `SettingError` for one that the model does not have."""
    manifest = bundle.manifest
    labels = manifest.head.labels
    refuse_unknown(label, labels)
    seen = scene(moment, Materials.of(bundle))
    executor = Executor(manifest.plan, manifest.graphs, open_sessions(bundle, RunOptions()).sessions)

    def answer(kept: Kept) -> Prediction:
        left = seen.material.only(kept)
        return predict(seen.window, left.present, executor.run(left.values), manifest.head)

    def ask(kept: Kept) -> NDArray[np.float64]:
        return np.array(list(answer(kept).probabilities.values()))

    whole = answer(seen.present)
    chosen = label or str(whole.label)
    model = {"kind": "bundle", "name": manifest.name, "digest": bundle.digest, "notice": manifest.notice}
    return Explanation(
        model, seen, chosen, whole.probabilities, ablate(ask, seen.present, labels, chosen), whole.weights
    )


def refuse_unknown(label: str | None, labels: tuple[str, ...]) -> None:
    """Raise `SettingError` for a label that the model does not answer with."""
    if label is not None and label not in labels:
        raise SettingError(f"--label {label}: the model answers with {', '.join(labels)}")
