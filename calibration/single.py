"""One ONNX file calibrated by itself, judged as the graphs of a bundle are."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from mmer.calibration.calibrate import versions
from mmer.calibration.calibrated import HEADER, graph_lines, graph_row
from mmer.calibration.graph.onnx_file import ModelFileError, OnnxFile
from mmer.calibration.judgement.check import centred_cosine, outputs
from mmer.calibration.judgement.judge import HALF, Form, Judgement, Subject, judge
from mmer.calibration.samples.given import Given
from mmer.calibration.samples.survey import survey
from mmer.calibration.samples.suspicion import Suspicion, of_survey
from mmer.calibration.settings import CalibrationSettings
from mmer.calibration.targets.targets import recipes_for
from mmer.edge.doctor.examine import examine
from mmer.edge.errors import AccuracyGateError, BudgetGateError, SettingError
from mmer.edge.files import atomic_binary, refuse_existing
from mmer.edge.tensors import Tensors

SCHEMA = "mmer.calibrate-file/1"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the forms of a file go."""

    int8: Path
    half: Path | None
    """`None` where no FP16 form is wanted."""
    record: Path

    @classmethod
    def of(cls, source: Path, output: Path | None, *, half: bool) -> "Places":
        """Return an output and what stands beside it; by default that is beside the source."""
        int8 = output or source.with_name(f"{source.stem}.int8.onnx")
        return cls(
            int8,
            int8.with_name(f"{source.stem}.{HALF}.onnx") if half else None,
            int8.with_name(f"{int8.stem}.calibration.json"),
        )

    def claim(self, *, exist_ok: bool) -> None:
        """Raise `OutputExistsError` for a file that is there, unless it may be replaced."""
        for path in filter(None, (self.int8, self.half, self.record)):
            refuse_existing(path, exist_ok=exist_ok)


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """The judgement on one file."""

    source: OnnxFile
    judgement: Judgement
    cosines: Mapping[str, float]
    """Of each float output of the INT8 form to the source's, centred, over the fresh samples."""
    least: float
    """What each of them has to reach."""
    facts: Mapping[str, object]
    """Settings, samples, recipe, machine and versions."""
    warnings: tuple[Suspicion, ...] = ()
    """What takes worth out of it."""

    @property
    def fault(self) -> str | None:
        """Why the INT8 form is not worth having, `None` when it is."""
        low = (
            f"output {n}: centred cosine {c:.4f}, {self.least:g} is needed"
            for n, c in self.cosines.items()
            if c < self.least
        )
        return self._made().fault or next(low, None)

    def require(self) -> Form:
        """Return the INT8 form if it is worth having; raise `AccuracyGateError` or `BudgetGateError` when not."""
        form, fault = self._made(), self.fault
        if fault is None:
            return form
        if form.race is not None and fault == form.race.fault():
            raise BudgetGateError(f"{self.source.path}: {fault}; keep the float file, or add --anyway to write it")
        raise AccuracyGateError(
            f"{self.source.path}: {fault}; give more samples, lower --cosine, or add --anyway to write it"
        )

    def save(self, places: Places, *, anyway: bool) -> tuple[Path, ...]:
        """Write what is worth having and what was found, and return where; with `anyway` INT8 is worth having.

        Nothing is written for a graph without a usable INT8 form, nor FP16 that is coarse or no smaller.
        """
        form, half = self._made(), self.judgement.half
        if form.check.failure is not None or (self.fault is not None and not anyway):
            return ()
        files = {places.int8: form.content}
        if places.half is not None and half is not None and half.fault is None:
            files[places.half] = half.content
        files[places.record] = json.dumps(self._record(), indent=1, sort_keys=True, allow_nan=False).encode()
        for path, content in files.items():
            with atomic_binary(path) as file:
                file.write(content)
        return tuple(files)

    def to_json(self, written: tuple[Path, ...]) -> dict[str, object]:
        """Return everything under the schema `mmer.calibrate-file/1`, with what `save` returned."""
        return {"schema": SCHEMA, "written": list(map(str, written)), **self._document()}

    def lines(self, written: tuple[Path, ...]) -> Iterator[str]:
        """Yield the same as lines of plain text."""
        yield from (f"{path}: {path.stat().st_size / 1e6:.1f} MB" for path in written)
        if not written:
            yield "nothing was written"
        yield HEADER
        yield from graph_lines(self.judgement)
        yield from (f"output {name}: centred cosine {found:.5f}" for name, found in self.cosines.items())
        if self.judgement.half is not None:
            yield f"{HALF}: {self.judgement.half.fault or 'right and smaller'}"

    def _made(self) -> Form:
        if self.judgement.int8 is None:
            raise ModelFileError(self.source.path, f"{self.judgement.excuse}; it stays float")
        return self.judgement.int8

    def _record(self) -> dict[str, object]:
        ranges = {name: [seen.low, seen.high] for name, seen in self._made().ranges.items()}
        return {"schema": SCHEMA, **self._document(), "ranges": ranges}

    def _document(self) -> dict[str, object]:
        warnings = [asdict(suspicion) for suspicion in self.warnings]
        return {"row": graph_row(self.judgement), "cosines": dict(self.cosines), "warnings": warnings, **self.facts}


def calibrate_file(
    path: Path,
    inputs: Path,
    settings: CalibrationSettings,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Single:
    """Make the INT8 and FP16 form of an ONNX file, and judge them by samples that neither was made from.

    Raises `DataError` for a file or samples that cannot be used.
    """
    cpu = examine().cpu
    recipe, *more = recipes_for(settings.targets, cpu.features)
    if more:
        raise SettingError(f"a file is made for one target, not for {len(more) + 1}; name one --target at a time")
    source = OnnxFile.read(path)
    given = Given.read(inputs, source.inputs, lambda done, of: progress("samples", done, of))
    calibration, fresh = given.dealt(settings)
    titles = (f"sample {digest[:12]}" for digest in calibration.digests)
    warnings = tuple(of_survey(survey(zip(titles, calibration.samples(), strict=True))))
    tried = tuple(fresh.samples())
    step = partial(progress, "ranges")
    subject = Subject(path.stem, source.clean, (), calibration.samples, tried, step=step, alone=True)
    judgement = judge(subject, [recipe], settings)
    facts = {
        "settings": asdict(settings),
        "recipe": recipe.to_json(),
        "source": {"path": str(path), "digest": source.digest},
        "samples": {"calibration": calibration.to_json(), "fresh": fresh.to_json()},
        "machine": {"cpu": cpu.model, "features": list(cpu.features), "int8": cpu.int8},
        "versions": versions("mmer", "numpy", "onnx", "onnxruntime", "openvino"),
    }
    cosines = _cosines(source, judgement.int8, tried)
    return Single(source, judgement, cosines, settings.int8_cosine, facts, warnings)


def _cosines(source: OnnxFile, form: Form | None, tried: Sequence[Tensors]) -> Mapping[str, float]:
    """Return how close each output comes to that of the file as it was given."""
    if form is None or form.check.failure is not None:
        return {}
    expected, found = outputs(source.path, tried), outputs(form.content, tried)
    return {name: centred_cosine(rows, found[name]) for name, rows in expected.items()}
