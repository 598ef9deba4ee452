"""What `mmer verify --on` does: float and what would stand in for it, over the same windows of somebody's clips."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmer.edge.backends.ort import OrtSettings, version
from mmer.edge.bundle.bundle import Bundle
from mmer.edge.doctor.examine import processor
from mmer.edge.errors import AccuracyGateError, MmerError, NothingToSeeError, SettingError
from mmer.edge.faces.mtcnn import Mtcnn
from mmer.edge.heap import be_frugal
from mmer.edge.inputs.constants import within
from mmer.edge.media.isolated import IsolatedDecoder
from mmer.edge.pipeline.executor import Executor
from mmer.edge.pipeline.materials import Materials
from mmer.edge.pipeline.timeline import WindowSettings
from mmer.edge.pipeline.watcher import Watcher, check_windows
from mmer.edge.verify.agreement import Agreement, agreements
from mmer.edge.verify.answers import Answers, Failure, Jury
from mmer.edge.verify.clips import clips
from mmer.edge.verify.forms import AUTO, Form, forms, held, reference
from mmer.edge.verify.rivals import Rival, rivals


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be compared, on what; raises `SettingError`."""

    names: Sequence[str]
    """Recordings, folders, patterns and indexes."""
    where: Sequence[tuple[str, str]] = ()
    """Which rows of the indexes."""
    precision: str = AUTO
    windows: WindowSettings = WindowSettings()
    least: float | None = None
    """The lower bound over windows that has to be reached."""
    write: bool = False
    """Whether the bundle keeps what was found."""
    exist_ok: bool = False
    """Whether it may replace what it kept before."""

    def __post_init__(self) -> None:
        within("min-agreement", 0.0 if self.least is None else self.least, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found."""

    labels: tuple[str, ...]
    settings: WindowSettings
    clips: tuple[str, ...]
    """Every recording that was looked at, or tried."""
    windows: int
    empty: int
    failures: tuple[Failure, ...]
    agreements: tuple[Agreement, ...]
    remarks: tuple[str, ...]
    """What was not compared, and why."""
    machine: Mapping[str, object]

    @property
    def answered(self) -> int:
        """Recordings with a window that was compared."""
        return max((found.clips.of for found in self.agreements), default=0)

    @property
    def exit_code(self) -> int:
        """9 when the device failed on a recording, 3 when one could not be used, or not to its end, else 0."""
        return max((failure.error.exit_code for failure in self.failures), default=0)

    def require(self, least: float | None) -> None:
        """Raise `AccuracyGateError` for the first form whose bound over windows is below `least`."""
        below = (found for found in self.agreements if least is not None and found.windows.low < least)
        if found := next(below, None):
            raise TooFewAlikeError(found, least or 0.0)


class TooFewAlikeError(AccuracyGateError):
    """A form does not answer as float does often enough, or too little was seen to know."""

    def __init__(self, found: Agreement, least: float) -> None:
        windows = found.windows
        super().__init__(
            f"{found.form.name}: {windows.count} of {windows.of} windows keep the label of float, that is at least "
            f"{windows.low:.2%}, and {least:.2%} is asked for; name more recordings, calibrate on ones like these, or "
            "run with --precision fp32"
        )


def compare(bundle: Bundle, order: Order, progress: Callable[[str, int, int], None]) -> Comparison:
    """Run float and what is to be compared over the same windows.

    Raises `NothingToSeeError` when no recording gives a window, `SettingError` for what cannot be compared.
    """
    check_windows(bundle.manifest.inputs, order.windows)
    entries = clips(order.names, order.where)
    opened = forms(bundle, order.precision)
    usable = [form for form in opened if form.swapped]
    remarks = tuple(_remarks(bundle, opened))
    if not usable and order.least is not None:
        raise SettingError(f"--min-agreement: {remarks[-1]}; leave it out, or make INT8 forms with `mmer calibrate`")
    answers, panel = Answers(), tuple[Rival, ...]()
    if usable:
        be_frugal()
        panel = rivals(reference(bundle), usable)
        with IsolatedDecoder() as decoder:
            jury = _jury(bundle, panel, decoder, order.windows)
            answers = jury.answers(entries, lambda done: progress("comparing clips", done, len(entries)))
        if not answers.places:
            raise _nothing(answers, len(entries))
        remarks += (*_unheard(answers, usable), *answers.damage)
    labels = bundle.manifest.head.labels
    found = agreements(answers, usable, panel, labels) if usable else ()
    counts = len(answers.places), answers.empty
    return Comparison(
        labels, order.windows, tuple(answers.clips), *counts, tuple(answers.failures), found, remarks, _machine()
    )


def _jury(bundle: Bundle, panel: Sequence[Rival], decoder: IsolatedDecoder, windows: WindowSettings) -> Jury:
    manifest = bundle.manifest
    watcher = Watcher(decoder, Mtcnn.open(OrtSettings()), manifest.inputs, windows)
    executors = [Executor(manifest.plan, manifest.graphs, rival.sessions) for rival in panel]
    return Jury(watcher, Materials.of(bundle), manifest.head, manifest.plan, executors)


def _nothing(answers: Answers, clips: int) -> MmerError:
    """Return why no window was compared: what was wrong with the first recording, or that nothing is in any."""
    return answers.failures[0].error if answers.failures else NothingToSeeError("--on", clips)


def _remarks(bundle: Bundle, opened: Sequence[Form]) -> Iterator[str]:
    """Yield why something runs in float, and so in no other way than what it is compared with."""
    for form in opened:
        fallbacks = {name: found.fallback for name, found in form.graphs.items() if found.fallback}
        yield from (f"{form.name}: graph {name} falls back: {reason}" for name, reason in fallbacks.items())
        if not form.swapped:
            whole = "everything runs in float here, so there is nothing to compare"
            holds = "" if held(bundle, "int8") else "the bundle has no INT8 form, "
            yield f"{form.name}: {holds}{whole}"


def _unheard(answers: Answers, forms: Sequence[Form]) -> Iterator[str]:
    """Yield what the comparison says nothing about."""
    for form in forms:
        if idle := [name for name in form.swapped if not answers.calls[name]]:
            yield f"{form.name}: no window gave {', '.join(idle)} anything to read, so this says nothing of it"


def _machine() -> Mapping[str, object]:
    cpu = processor()
    return {
        "cpu": cpu.model,
        "features": list(cpu.features),
        "system": platform.system(),
        "onnxruntime": version(),
    }
