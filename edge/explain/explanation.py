"""An answer and all that was found out about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from mmer.edge.explain.ablation import Ablation
from mmer.edge.explain.scene import Scene

SCHEMA = "mmer.explain/1"

MEANING: Mapping[str, str] = {
    "ablation": "the model's answer when modalities are withheld as if they had never been there; it is exact, and of "
    "this window alone",
    "shapley": "the mean of what a modality adds to the probability, over all orders in which modalities may come, "
    "from an equal share of each label on; it shares out what they only achieve together",
    "weights": "each modality's part in the size of the votes; it tells who spoke loudly, not who was right",
    "gradients": "integrated gradients of the probability, from a grey face, silence and empty words on; 'gap' is what "
    "they leave unexplained. Negative: it spoke against the label",
    "attention": "how much of the attention falls on each step, mean over heads and over what asks; where the model "
    "looks is not what it concludes from",
    "confidence": "how far the model trusts each step, mean over channels; it scales features before anything is "
    "concluded from them, and a high value is not evidence for the label",
}
"""What each figure is, and what it is not."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One figure over time."""

    kind: str
    """`attention`, `confidence` or `gradients`."""
    title: str
    modality: str
    times_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Gradients:
    """How much of the probability each modality accounts for; over time it stands in traces."""

    sums: Mapping[str, float]
    baseline: float
    """The probability for a grey face, silence and empty words."""
    gap: float
    """Probability less baseline less all sums: what is not accounted for."""
    words: tuple[tuple[str, float], ...] = ()
    """Token by token."""


@dataclass(frozen=True, slots=True)
class Insight:
    """What only a float model tells."""

    gradients: Gradients
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one answer."""

    model: Mapping[str, object]
    """Kind, name and notice."""
    scene: Scene
    label: str
    """The one that is explained: the likeliest, unless another was asked for."""
    probabilities: Mapping[str, float]
    ablation: Ablation
    weights: Mapping[str, float] = field(default_factory=dict)
    insight: Insight | None = None

    def to_json(self) -> dict[str, object]:
        """Return the explanation as JSON values."""
        window, insight = self.scene.window, self.insight
        told = {name for name in MEANING if insight or name not in {"gradients", "attention", "confidence"}}
        return {
            "schema": SCHEMA,
            "model": dict(self.model),
            "clip": str(self.scene.path),
            "window": {"start_s": window.start_s, "end_s": window.end_s, "track": window.track, "text": window.text},
            "label": self.label,
            "probabilities": dict(self.probabilities),
            "present": dict(self.scene.material.present),
            "weights": dict(self.weights),
            "ablation": asdict(self.ablation),
            "gradients": asdict(insight.gradients) if insight else None,
            "traces": [asdict(trace) for trace in insight.traces] if insight else [],
            "meaning": {name: words for name, words in MEANING.items() if name in told},
        }

    def lines(self) -> list[str]:
        """Return the explanation as text."""
        window, gains = self.scene.window, self.ablation.shapley
        who = "nobody in sight" if window.track is None else f"person {window.track}"
        probability = self.probabilities[self.label]
        notice = [f"note: {self.model['notice']}"] if self.model.get("notice") else []
        return [
            *notice,
            f"{self.scene.path.name} {window.start_s:.2f} to {window.end_s:.2f} s, {who}: "
            f"{self.label} {probability:.3f} by {', '.join(self.scene.present)}",
            f"each adds (Shapley, from {self.ablation.nothing:.3f} for nothing): {_signed(gains)}",
            *(
                f"  {name}: {subset.probability:.3f} ({subset.change:+.3f}), answer {subset.label}"
                for name, subset in self.ablation.subsets.items()
            ),
            *self._insight_lines(),
        ]

    def _insight_lines(self) -> list[str]:
        if self.insight is None:
            return ["attention, confidence and gradients: not in a bundle; name the checkpoint with --model"]
        gradients = self.insight.gradients
        peaks = [trace for trace in self.insight.traces if trace.kind != "gradients"]
        return [
            f"integrated gradients, from {gradients.baseline:.3f}, gap {gradients.gap:+.3f}: {_signed(gradients.sums)}",
            *(
                f"{t.kind}, {t.title}: most at {t.times_s[t.values.index(max(t.values))]:.2f} s, "
                f"{min(t.values):.3f} to {max(t.values):.3f}"
                for t in peaks
            ),
        ]


def _signed(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:+.3f}" for name, value in figures.items())
