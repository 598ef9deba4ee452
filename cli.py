"""The command line: every verb parses, calls one function and prints."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from mmer.edge.errors import LeakError, MissingDependencyError, MmerError, SettingError
from mmer.edge.files import UNWRITABLE

app = typer.Typer(
    name="mmer",
    help="Multimodal emotion recognition, from a float model to a verified bundle on a device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"auto_envvar_prefix": "MMER", "help_option_names": ["-h", "--help"]},
)
data = typer.Typer(no_args_is_help=True, help="Import, check and make corpora.", rich_markup_mode=None)
app.add_typer(data, name="data")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no remarks.")]
ExistOk = Annotated[bool, typer.Option("--exist-ok", help="Replace the output if it exists.")]
Data = Annotated[list[Path], typer.Option("--data", help="An index; may be repeated.")]
Where = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only rows with this value; may be repeated.")
]

BundlePath = Annotated[Path, typer.Argument(help="A bundle: a folder or a zip file.")]


@app.command(epilog="Example: mmer doctor --json")
def doctor(as_json: Json = False, quiet: Quiet = False) -> None:  # noqa: ARG001
    """Say what this machine can do and what to install for more."""
    from mmer.edge.doctor.examine import examine  # noqa: PLC0415
    from mmer.edge.doctor.report import lines  # noqa: PLC0415

    report = examine()
    _print(report.to_json() if as_json else list(lines(report)))


@app.command(epilog="Example: mmer models")
def models(as_json: Json = False, quiet: Quiet = False) -> None:  # noqa: ARG001
    """Show the models that can be trained, and their sizes."""
    _require("torch", "transformers", extra="train")
    from mmer.training.report import models_json, models_lines  # noqa: PLC0415

    _print(models_json() if as_json else models_lines())


def _together(command: Callable[..., None]) -> Callable[..., None]:
    """Run a command as one of the processes that `torchrun` started, if it did."""

    @wraps(command)
    def run(*args: object, **options: object) -> None:
        if int(os.environ.get("WORLD_SIZE", "1")) < 2:
            return command(*args, **options)
        from mmer.training.world import world  # noqa: PLC0415

        with world():
            return command(*args, **options)

    return run


@app.command(epilog="Example: mmer train cafes --data synth/corpus.csv --preset small -o checkpoint")
@_together
def train(
    model: Annotated[str, typer.Argument(help="A model that `mmer models` shows.")],
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", help="The checkpoint folder to write.")] = Path(
        "checkpoint"
    ),
    preset: Annotated[
        str | None, typer.Option(help="How large: published, small or tiny; else that of --from, or small.")
    ] = None,
    where: Where = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="CHECKPOINT|MODALITY=CHECKPOINT",
            help="A checkpoint to fine-tune, or one for each branch; labels that it does not know begin anew.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption, with equal results.")] = False,
    modality: Annotated[str, typer.Option(help="all, or one branch by itself: video, audio or text.")] = "all",
    text_weights: Annotated[
        str,
        typer.Option(
            metavar="none|FOLDER|HUB_ID", help="ALBERT's, for the preset published; an id is asked of the network."
        ),
    ] = "none",
    stages: Annotated[
        Path | None, typer.Option(help="A .toml or .json file of stages: what trains when, on what, how fast.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="PLACE=VALUE", help="Change a setting: optimiser.lr=0.001.")
    ] = None,
    sizes: Annotated[
        list[str] | None, typer.Option("--model-set", metavar="PLACE=VALUE", help="Change the model: confidence=none.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: a GPU where there is one.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 42,
    tensorboard: Annotated[
        Path | None, typer.Option(help="A folder to write each epoch into, for `tensorboard --logdir`.")
    ] = None,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on the split `train`, choose the epoch by `val`, and write a checkpoint.

    Until it is there, OUTPUT.progress keeps what --resume needs, and OUTPUT.train.log tells how far it is.
    """
    _require("torch", "transformers", "safetensors", "sklearn", extra="train")
    from mmer.training.launch import Order, launch, prepared  # noqa: PLC0415
    from mmer.training.ranks import leads  # noqa: PLC0415
    from mmer.training.report import train_json, train_lines  # noqa: PLC0415
    from mmer.training.usual import Wish  # noqa: PLC0415
    from mmer.training.watch.show import shown  # noqa: PLC0415

    quiet = quiet or not leads()
    wish = Wish(model, preset or "", _seeded(changes, seed), text_weights, modality, tuple(sizes or ()), device, stages)
    rows = tuple(_conditions(where))
    order = Order(wish, tuple(data), rows, output, tuple(start or ()), tensorboard, resume=resume, exist_ok=exist_ok)
    with _phases(quiet=quiet) as show:
        ready = prepared(order, lambda done, of: show("reading clips", done, of))
    launched = launch(ready, shown(sys.stderr, quiet=quiet))
    for remark in () if quiet else launched.remarks:
        sys.stderr.write(f"remark: {remark}\n")
    if leads():
        _print(train_json(launched.trained, output) if as_json else train_lines(launched.trained, output))


@app.command("import", epilog="Example: mmer import model.pth --as cafes --tokenizer albert-base-v2 -o checkpoint")
def import_(
    file: Annotated[Path, typer.Argument(help="A state dict: what torch.save or safetensors wrote.")],
    system: Annotated[str, typer.Option("--as", help="Whose weights they are, a model that `mmer models` shows.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The checkpoint folder to write.")],
    preset: Annotated[str, typer.Option(help="How large: published or tiny; small is built otherwise.")] = "published",
    labels: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="In the order of the answers; else the authors' own.")
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|HUB_ID", help="That of the text branch; an id is asked of the network."),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="What the file lacks begins at random, and the checkpoint says so.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of what begins at random.")] = 0,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> None:
    """Turn the authors' weights into a checkpoint, never running code; 3 when parameters are missing."""
    _require("torch", "transformers", "safetensors", extra="train")
    from mmer.edge.files import claim  # noqa: PLC0415
    from mmer.training.checkpoint import FACTS  # noqa: PLC0415
    from mmer.training.foreign.report import import_json, import_lines  # noqa: PLC0415
    from mmer.training.foreign.weights import Wanted, import_weights  # noqa: PLC0415

    claim(output, marker=FACTS, exist_ok=exist_ok)
    named = tuple(name.strip() for name in labels.split(",")) if labels else None
    imported = import_weights(file, Wanted(system, preset, named, tokenizer, allow_missing, seed))
    if imported.usable:
        imported.checkpoint.save(output, exist_ok=exist_ok)
    _print(import_json(imported, output) if as_json else import_lines(imported, output))
    imported.require()


@app.command("eval", epilog="Example: mmer eval checkpoint --data synth/corpus.csv --split test")
def evaluate(
    model: Annotated[Path, typer.Argument(help="A checkpoint, or a bundle; with --train-on a model to be trained.")],
    data: Annotated[list[Path] | None, typer.Option("--data", help="An index; may be repeated.")] = None,
    split: Annotated[str, typer.Option(help="Which clips to judge by.")] = "test",
    subsets: Annotated[bool, typer.Option("--subsets", help="Also every set of modalities by itself.")] = False,
    where: Where = None,
    train_on: Annotated[
        list[Path] | None, typer.Option("--train-on", help="An index to train on, for a matrix; may be repeated.")
    ] = None,
    test_on: Annotated[
        list[Path] | None, typer.Option("--test-on", help="An index to test each training on; may be repeated.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Of the trainings: published, small or tiny; else small.")] = None,
    modality: Annotated[str | None, typer.Option(help="Of the trainings: all, video, audio or text; else all.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="PLACE=VALUE", help="As for mmer train.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the trainings; else 42.")] = None,
    allow_leaky_split: Annotated[
        bool, typer.Option("--allow-leaky-split", help="Test on speakers of the training too; figures say LEAKY.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder for the figures, a table and pictures.")
    ] = None,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a model: UAR, accuracy, averaged one-vs-rest accuracy and more, with intervals.

    With --train-on and --test-on: train on each of some sets, test on each of others, and print a matrix.
    """
    if bool(data) == bool(train_on) or bool(train_on) != bool(test_on):
        raise SettingError("name --data for a checkpoint or bundle, or both --train-on and --test-on for a model")
    said = {"--preset": preset, "--modality": modality, "--set": changes, "--seed": seed is not None}
    other = {**said, "--allow-leaky-split": allow_leaky_split} if data else {"--subsets": subsets}
    if strange := [name for name, given in other.items() if given]:
        raise SettingError(f"{', '.join(strange)}: not with {'--data' if data else '--train-on'}; leave it out")
    if output is not None:
        _require("matplotlib", extra="report")
    rows = tuple(_conditions(where))
    if train_on and test_on:
        _require("torch", "transformers", "safetensors", "sklearn", extra="train")
        from mmer.edge.bench.matrix import matrix_json, matrix_lines  # noqa: PLC0415
        from mmer.training import across  # noqa: PLC0415
        from mmer.training.usual import Wish  # noqa: PLC0415

        wish = Wish(str(model), preset or "small", _seeded(changes, seed), modality=modality or "all")
        sides = tuple(train_on), tuple(test_on)
        wanted = across.Order(wish, *sides, rows, split, allow_leaky_split, output, exist_ok=exist_ok)
        with _phases(quiet=quiet) as progress:
            matrix = across.launch(wanted, progress)
        _print(matrix_json(matrix) if as_json else matrix_lines(matrix))
        return
    from mmer.edge.bench.launch import Order, launch  # noqa: PLC0415
    from mmer.edge.bench.verdict import ALL, SUBSETS, report_json, report_lines  # noqa: PLC0415
    from mmer.edge.models import is_checkpoint  # noqa: PLC0415

    if is_checkpoint(model):
        _require("torch", "transformers", "safetensors", extra="train")
        from mmer.training.evaluate import opened  # noqa: PLC0415
    else:
        from mmer.edge.bench.evaluate import opened  # noqa: PLC0415
    order = Order(
        model, tuple(data or ()), rows, split, tuple(SUBSETS) if subsets else (ALL,), output, exist_ok=exist_ok
    )
    with _phases(quiet=quiet) as progress:
        report = launch(order, opened, progress)
    _print(report_json(report) if as_json else report_lines(report))


@app.command(epilog="Example: mmer explain clip.mp4 --model checkpoint -o why")
def explain(
    clip: Annotated[Path | None, typer.Argument(help="A recording.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Explain the clip that ships with mmer.")] = False,
    model: Annotated[
        Path | None, typer.Option(help="A checkpoint, or a bundle; without it the bundle that ships with mmer.")
    ] = None,
    start_s: Annotated[float, typer.Option(help="Where the window begins.")] = 0.0,
    length_s: Annotated[float, typer.Option(help="Seconds that the answer looks at.")] = 4.0,
    transcript: Annotated[
        Path | None, typer.Option(help="Words: .srt, .vtt or .txt; else those beside the file.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Explain this label instead of the answer.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder for the document and pictures.")
    ] = None,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what one answer rests on: modalities left out; with a checkpoint also attention, confidence, gradients."""
    from mmer.edge.bundle.bundle import Bundle  # noqa: PLC0415
    from mmer.edge.explain.folder import DOCUMENT, write_explanation  # noqa: PLC0415
    from mmer.edge.explain.graphs import explain_bundle  # noqa: PLC0415
    from mmer.edge.explain.scene import Moment  # noqa: PLC0415
    from mmer.edge.files import claim  # noqa: PLC0415
    from mmer.edge.models import is_checkpoint  # noqa: PLC0415
    from mmer.edge.shipped import BUNDLE, EXAMPLE  # noqa: PLC0415

    if (clip is None) != example:
        raise SettingError("name one recording, or --example")
    if output is not None:
        _require("matplotlib", extra="report")
        claim(output, marker=DOCUMENT, exist_ok=exist_ok)
    moment, path = Moment(clip or EXAMPLE, start_s, length_s, transcript), model or BUNDLE
    if is_checkpoint(path):
        _require("torch", "transformers", "safetensors", extra="train")
        from mmer.training.explain.checkpoint import explain_checkpoint  # noqa: PLC0415
        from mmer.training.explain.gradients import STEPS  # noqa: PLC0415

        with _progress("following gradients", STEPS, quiet=quiet) as advance:
            found = explain_checkpoint(path, moment, label, advance)
    else:
        found = explain_bundle(Bundle.open(path), moment, label)
    if output is not None:
        write_explanation(output, found)
    _print(found.to_json() if as_json else found.lines())


@app.command(epilog="Example: mmer export checkpoint -o bundle")
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A folder that `mmer train` wrote.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The bundle to write: a folder, or a file ending in .zip.")
    ],
    licence: Annotated[Path | None, typer.Option(help="A text file with the terms of the weights.")] = None,
    notice: Annotated[
        str | None, typer.Option(help="A line that every answer of the model is to say, such as what it is not.")
    ] = None,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> None:
    """Write one ONNX graph per part, each compared with the float model; 5 when one differs."""
    _require("torch", "transformers", "safetensors", "onnx", "onnx_ir", "onnxscript", "optimum", extra="export")
    from mmer.export.card import terms  # noqa: PLC0415
    from mmer.export.writer import export_checkpoint  # noqa: PLC0415
    from mmer.training.checkpoint import Checkpoint  # noqa: PLC0415

    words = terms(licence)
    opened = Checkpoint.open(checkpoint)
    exported = export_checkpoint(opened, output, licence=words, notice=notice, exist_ok=exist_ok)
    _print(exported.to_json() if as_json else exported.lines())


@app.command(epilog="Example: mmer calibrate bundle --data synth/corpus.csv -o bundle-int8")
def calibrate(
    model: Annotated[Path, typer.Argument(help="A bundle, a folder or a zip file; or any float .onnx file.")],
    data: Annotated[list[Path] | None, typer.Option("--data", help="For a bundle: an index; may be repeated.")] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz|FOLDER",
            help="For an .onnx file: arrays by input, samples along the first axis; or a folder with an .npz for each.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The bundle to write, a folder or a .zip; or the file, else MODEL.int8.onnx."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Clips that ranges are taken from, and others to judge by; else train.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Windows or samples that ranges are taken from.")] = 128,
    fresh: Annotated[int, typer.Option(help="Others, by which graphs are judged.")] = 32,
    method: Annotated[
        str, typer.Option(help="Of ranges: minmax, average, moving, percentile, entropy, mse, or each: what suits it.")
    ] = "minmax",
    target: Annotated[
        list[str] | None,
        typer.Option(help="INT8 for ort, ort7, arm, tensorrt, openvino or all, by commas; else what suits this CPU."),
    ] = None,
    clip: Annotated[bool, typer.Option("--clip", help="Cut off the largest weights where the others gain.")] = False,
    cosine: Annotated[float, typer.Option(help="Least centred cosine of INT8 to float.")] = 0.999,
    where: Where = None,
    fp16: Annotated[bool, typer.Option("--fp16", help="Of an .onnx file, write the FP16 form too.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Of an .onnx file, write INT8 also if it is slower or less accurate.")
    ] = False,
    ranges: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|BUNDLE", help="Of a bundle: statistics of an earlier calibration, in place of a new look."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Of a bundle: go on after an interruption, with equal ranges.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the choice of clips or samples.")] = 0,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write INT8 and FP16 forms of a bundle's graphs; INT8 stays only where it is right, and faster on this machine.

    Of an .onnx file, 6 when INT8 is not accurate enough and 7 when it is no faster; nothing is written then. Until a
    bundle is there, OUTPUT.progress keeps what --resume needs.
    """
    _require("onnx", extra="calibrate")
    from mmer.calibration.settings import CalibrationSettings  # noqa: PLC0415

    alone = model.suffix == ".onnx"
    strangers = (
        {"--data": data, "--split": split, "--where": where, "--ranges": ranges, "--resume": resume}
        if alone
        else {"--inputs": inputs, "--fp16": fp16, "--anyway": anyway}
    )
    if strange := [name for name, given in strangers.items() if given]:
        raise SettingError(f"{', '.join(strange)}: not for {'an .onnx file' if alone else 'a bundle'}; leave it out")
    targets = tuple(name.strip() for given in target or () for name in given.split(","))
    settings = CalibrationSettings(
        split or "train", samples, fresh, method, seed, int8_cosine=cosine, targets=targets, clip=clip
    )
    if alone:
        from mmer.calibration.single import Places, calibrate_file  # noqa: PLC0415

        if inputs is None:
            raise SettingError("an .onnx file needs samples to calibrate with; name --inputs FILE.npz or a folder")
        places = Places.of(model, output, half=fp16)
        places.claim(exist_ok=exist_ok)
        with _phases(quiet=quiet) as progress:
            single = calibrate_file(model, inputs, settings, progress)
        sys.stderr.writelines(f"warning: {found.says}\n" for found in (() if quiet else single.warnings))
        made = single.save(places, anyway=anyway)
        _print(single.to_json(made) if as_json else list(single.lines(made)))
        if not made:
            single.require()
        return
    from mmer.calibration.calibrate import Earlier, calibrate  # noqa: PLC0415
    from mmer.calibration.observation.resume import claim_progress, progress_path  # noqa: PLC0415
    from mmer.calibration.observation.reuse import earlier_ranges  # noqa: PLC0415
    from mmer.edge.bundle.bundle import Bundle  # noqa: PLC0415
    from mmer.edge.bundle.writer import claim_bundle  # noqa: PLC0415
    from mmer.edge.corpus import Corpus  # noqa: PLC0415

    if not data or output is None:
        raise SettingError("a bundle needs --data, an index of clips, and --output, the bundle to write; name both")
    exist_ok = claim_progress(output, resume=resume, exist_ok=exist_ok) or exist_ok
    claim_bundle(output, exist_ok=exist_ok)
    opened = Bundle.open(model)
    earlier = Earlier(progress_path(output), earlier_ranges(ranges, opened) if ranges else None)
    corpus = Corpus.read(data).where(_conditions(where))
    with _phases(quiet=quiet) as progress:
        calibrated = calibrate(opened, corpus, settings, progress, earlier)
    sys.stderr.writelines(f"warning: {found.says}\n" for found in (() if quiet else calibrated.warnings))
    written = calibrated.save(output, exist_ok=exist_ok)
    shutil.rmtree(progress_path(output))
    _print(calibrated.to_json(written) if as_json else list(calibrated.lines(written)))


@app.command(epilog="Example: mmer run clip.mp4 --format jsonl")
def run(
    source: Annotated[list[str] | None, typer.Argument(help="Files, folders or patterns.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Watch the clip that ships with mmer.")] = False,
    bundle: Annotated[Path | None, typer.Option(help="A bundle; without it the one that ships with mmer.")] = None,
    device: Annotated[str, typer.Option(help="auto or cpu.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, fp16 or int8.")] = "auto",
    length_s: Annotated[float, typer.Option(help="Seconds that each answer looks at.")] = 4.0,
    hop_s: Annotated[float, typer.Option(help="Seconds from one answer to the next.")] = 0.5,
    max_faces: Annotated[int, typer.Option(help="People followed at a time.")] = 8,
    transcript: Annotated[
        Path | None, typer.Option(help="Words: .srt, .vtt or .txt; else those beside the file.")
    ] = None,
    form: Annotated[str, typer.Option("--format", envvar="MMER_RUN_FORMAT", help="table, jsonl or csv.")] = "table",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file for the answers.")] = None,
    exist_ok: ExistOk = False,
    as_json: Annotated[bool, typer.Option("--json", envvar="MMER_RUN_JSON", help="Print one JSON document.")] = False,
    quiet: Quiet = False,
) -> None:
    """Tell emotions over time from recordings; 3 when one cannot be used, 9 when the device fails, after the others."""
    from mmer.edge.faces.track import TrackSettings  # noqa: PLC0415
    from mmer.edge.launch import RunOptions, launch  # noqa: PLC0415
    from mmer.edge.pipeline.timeline import WindowSettings  # noqa: PLC0415
    from mmer.edge.recognizer import Recipe  # noqa: PLC0415
    from mmer.edge.shipped import EXAMPLE  # noqa: PLC0415

    names = [*(source or ()), *([str(EXAMPLE)] if example else ())]
    recipe = Recipe(WindowSettings(length_s, hop_s), TrackSettings(max_faces=max_faces), transcript=transcript)
    options = RunOptions(bundle, device, precision, recipe=recipe)
    with _lines(output, exist_ok=exist_ok, silent=as_json) as write:
        finished = launch(names, options, form, write, keep=as_json)
    if as_json:
        _print(finished.to_json())
    elif not quiet:
        sys.stderr.writelines(f"{line}\n" for line in finished.remarks())
    if finished.exit_code:
        raise typer.Exit(finished.exit_code)


@app.command(epilog="Example: mmer bench bundle --data synth/corpus.csv --reference checkpoint")
def bench(
    bundle: BundlePath,
    data: Data,
    split: Annotated[str, typer.Option(help="Which clips to judge by.")] = "test",
    where: Where = None,
    reference: Annotated[
        Path | None, typer.Option(help="The checkpoint that the bundle was exported from: its torch model is compared.")
    ] = None,
    clips: Annotated[int | None, typer.Option(help="So many clips at most, drawn by the seed.")] = None,
    seconds: Annotated[float, typer.Option(help="For whole clips, file to answers, after the accuracy; 0: none.")] = 60,
    starts: Annotated[int, typer.Option(help="Fresh processes for each row: cold start and memory.")] = 3,
    hop_s: Annotated[float, typer.Option(help="Seconds from one window to the next.")] = 0.5,
    threads: Annotated[int, typer.Option(help="Of each session, torch included.")] = 1,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file for the JSON document.")] = None,
    seed: Annotated[int, typer.Option(help="Of the intervals and of the choice of clips.")] = 0,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure accuracy against latency: the float model beside every precision of a bundle, on the same windows."""
    from mmer.edge.bench.bench import bench  # noqa: PLC0415
    from mmer.edge.bench.contender import contenders  # noqa: PLC0415
    from mmer.edge.bench.document import bench_json  # noqa: PLC0415
    from mmer.edge.bench.judges import Judges  # noqa: PLC0415
    from mmer.edge.bench.report import bench_lines  # noqa: PLC0415
    from mmer.edge.bench.settings import BenchSettings  # noqa: PLC0415
    from mmer.edge.bundle.bundle import Bundle  # noqa: PLC0415
    from mmer.edge.corpus import Corpus  # noqa: PLC0415
    from mmer.edge.files import atomic_text, claim  # noqa: PLC0415
    from mmer.edge.pipeline.timeline import WindowSettings  # noqa: PLC0415

    settings = BenchSettings(split, clips, seconds, starts, threads, seed, WindowSettings(hop_s=hop_s))
    if output is not None:
        claim(output, marker=None, exist_ok=exist_ok)
    whole = Corpus.read(data)
    opened = Bundle.open(bundle)
    rows, provenance = contenders(opened, threads), opened.manifest.provenance
    if reference is not None:
        _require("torch", "transformers", "safetensors", "onnx", "onnx_ir", "onnxscript", "optimum", extra="export")
        from mmer.export.reference import torch_contender  # noqa: PLC0415
        from mmer.training.checkpoint import Checkpoint  # noqa: PLC0415

        checkpoint = Checkpoint.open(reference)
        rows = (torch_contender(reference, checkpoint, opened, threads), *rows)
        provenance = {**provenance, **checkpoint.facts.provenance}  # which names the speakers
    judges = Judges(whole.where(_conditions(where)), whole, provenance)
    with _phases(quiet=quiet) as progress:
        measured = bench(opened, rows, judges, settings, progress)
    document = bench_json(measured)
    if output is not None:
        with atomic_text(output) as file:
            json.dump(document, file, ensure_ascii=False, allow_nan=False)
    _print(document if as_json else list(bench_lines(measured)))


@app.command(epilog="Example: mmer inspect bundle --json")
def inspect(bundle: BundlePath, as_json: Json = False, quiet: Quiet = False) -> None:  # noqa: ARG001
    """Say what is inside a bundle, without running it; 8 when it is damaged."""
    from mmer.edge.bundle.bundle import Bundle  # noqa: PLC0415
    from mmer.edge.bundle.inspect import inspect, lines  # noqa: PLC0415

    opened = Bundle.open(bundle)
    _print(inspect(opened) if as_json else list(lines(opened)))


@app.command(epilog="Example: mmer verify bundle --on recordings")
def verify(
    bundle: BundlePath,
    more: Annotated[list[str] | None, typer.Argument(metavar="[CLIP]...", help="More recordings, after --on.")] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLIP...", help="Also compare INT8 with float on these: files, folders, patterns or an index."
        ),
    ] = None,
    where: Where = None,
    precision: Annotated[
        str, typer.Option(help="What to compare: auto (what would run here), or every form in int8 or fp16.")
    ] = "auto",
    length_s: Annotated[float, typer.Option(help="Seconds that each answer looks at.")] = 4.0,
    hop_s: Annotated[float, typer.Option(help="Seconds from one answer to the next.")] = 0.5,
    min_agreement: Annotated[
        float | None, typer.Option(help="6 when the lower bound of windows with float's label is below this, of 1.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep the comparison in the bundle.")] = False,
    exist_ok: Annotated[bool, typer.Option("--exist-ok", help="Replace the comparison that it keeps.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare digests (8 when one differs), then replay golden values on this machine (9 when a graph deviates).

    With --on, also run float and what would stand in for it over recordings of yours, labelled or not.
    """
    from mmer.edge.backends.ort import OrtSession  # noqa: PLC0415
    from mmer.edge.bundle.bundle import Bundle  # noqa: PLC0415
    from mmer.edge.bundle.verify import verify  # noqa: PLC0415

    if on is None and (more or where or write or min_agreement is not None):
        raise SettingError("name recordings as --on CLIP; without it only the bundle itself is verified")
    opened = Bundle.open(bundle)
    if on is None:
        verification = verify(opened, OrtSession.open)
        _print(verification.to_json() if as_json else list(verification.lines()))
        verification.require()
        return
    from mmer.edge.pipeline.timeline import WindowSettings  # noqa: PLC0415
    from mmer.edge.verify.comparison import Order  # noqa: PLC0415
    from mmer.edge.verify.launch import launch  # noqa: PLC0415

    windows, names = WindowSettings(length_s, hop_s), (*on, *(more or ()))
    order = Order(names, _conditions(where), precision, windows, min_agreement, write, exist_ok)
    with _phases(quiet=quiet) as progress:
        verified = launch(opened, order, progress)
    _print(verified.to_json() if as_json else list(verified.lines()))
    sys.stderr.writelines(f"error: {failure}\n" for failure in verified.failures())
    sys.stderr.writelines(f"note: {note}\n" for note in (() if quiet else verified.notes()))
    if code := verified.require():
        raise typer.Exit(code)


@data.command("import", epilog="Example: mmer data import java-sed recordings -o corpus.csv")
def data_import(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="A data set by name (a wrong one lists all), or folder.")
    ],
    source: Annotated[Path, typer.Argument(help="The folder with the data set, or its one file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The index to write, .csv or .jsonl.")] = Path(
        "corpus.csv"
    ),
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> None:
    """Index a data set where it lies; pictures in a table or archive are unpacked beside the index."""
    from mmer.data.importers import FORMATS, import_corpus  # noqa: PLC0415
    from mmer.edge.corpus import Corpus, write_index  # noqa: PLC0415
    from mmer.edge.files import refuse_existing  # noqa: PLC0415

    if format_name not in FORMATS:
        raise SettingError(f"no importer is called {format_name!r}; there are: {', '.join(FORMATS)}")
    refuse_existing(output, exist_ok=exist_ok)
    write_index(output, import_corpus(format_name, source, output.parent / f"{output.stem}_pictures"))
    corpus = Corpus.read([output])
    facts = {
        "schema": "mmer.data.import/1",
        "index": str(output),
        "clips": len(corpus.entries),
        "digest": corpus.digest,
    }
    _print(facts if as_json else [f"{output}: {len(corpus.entries)} clips, digest {corpus.digest[:12]}"])


@data.command("check", epilog="Example: mmer data check corpus.csv --where split=train")
def data_check(
    index: Annotated[list[Path], typer.Argument(help="One or more index files.")],
    where: Where = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find missing, unreadable, damaged and silent clips, and speakers and recordings in two splits.

    A recording is known by its content, also in another codec. The exit code is 3 when something stands in two splits,
    or a clip cannot be used.
    """
    from mmer.data.check import check_corpus, check_json, check_lines  # noqa: PLC0415
    from mmer.edge.corpus import Corpus  # noqa: PLC0415

    corpus = Corpus.read(index).where(_conditions(where))
    with _progress("checking", len(corpus.entries), quiet=quiet) as advance:
        check = check_corpus(corpus, advance)
    _print(check_json(check) if as_json else check_lines(check))
    if check.leaking:
        raise LeakError(index[0], check.leaking)
    if not check.usable:
        raise typer.Exit(3)


@data.command("split", epilog="Example: mmer data split corpus.csv -o split.csv --ratios 80/10/10")
def data_split(
    index: Annotated[list[Path], typer.Argument(help="One or more index files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The index to write; folds add -1, -2 to its name.")],
    ratios: Annotated[str, typer.Option(help="Shares of train, val and test, or of train and test.")] = "80/10/10",
    folds: Annotated[int | None, typer.Option(help="So many indexes, each with another part as test.")] = None,
    where: Where = None,
    allow_leaky_split: Annotated[
        bool, typer.Option("--allow-leaky-split", help="By clip, not by speaker: whatever comes of it says LEAKY.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the order in which speakers are dealt.")] = 0,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> None:
    """Deal a corpus to splits or folds by speaker, with the labels balanced as far as the speakers allow."""
    from mmer.data.split import Dealing, parse_ratios, split  # noqa: PLC0415
    from mmer.data.split import folds as dealt_folds  # noqa: PLC0415
    from mmer.data.splits_report import split_json, split_lines  # noqa: PLC0415
    from mmer.edge.corpus import Corpus, write_index  # noqa: PLC0415
    from mmer.edge.files import refuse_existing  # noqa: PLC0415

    corpus, dealing = Corpus.read(index).where(_conditions(where)), Dealing(seed, allow_leaky_split)
    if folds is None:
        written = {output: split(corpus, parse_ratios(ratios), dealing)}
    else:
        parts = dealt_folds(corpus, folds, dealing)
        written = {output.with_stem(f"{output.stem}-{n}"): part for n, part in enumerate(parts, start=1)}
    for path in written:
        refuse_existing(path, exist_ok=exist_ok)
    for path, part in written.items():
        write_index(path, part.entries)
    _print(split_json(written) if as_json else split_lines(written))


@data.command("report", epilog="Example: mmer data report corpus.csv -o report")
def data_report(
    index: Annotated[list[Path], typer.Argument(help="One or more index files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.")],
    where: Where = None,
    clips: Annotated[int, typer.Option(help="So many clips at most are decoded, drawn by the seed.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the clips that are drawn.")] = 0,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a corpus: classes by split, durations, clips in two dimensions by class; index.html shows all."""
    _require("matplotlib", extra="report")
    from mmer.data.report.page import PAGE, write_report  # noqa: PLC0415
    from mmer.data.report.survey import survey  # noqa: PLC0415
    from mmer.edge.corpus import Corpus  # noqa: PLC0415
    from mmer.edge.files import claim  # noqa: PLC0415

    claim(output, marker=PAGE, exist_ok=exist_ok)
    corpus = Corpus.read(index).where(_conditions(where))
    with _progress("looking", min(clips, len(corpus.entries)), quiet=quiet) as advance:
        found = survey(corpus, clips, seed, advance)
    write_report(found, output)
    facts = {"schema": "mmer.data.report/1", "page": str(output / PAGE), **found.to_json()}
    _print(facts if as_json else [f"{output / PAGE}: {found.clips} clips, {len(found.durations_s)} decoded"])


@data.command("synth", epilog="Example: mmer data synth -o synth --speakers 8 --seed 1")
def data_synth(
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to make.")],
    speakers: Annotated[int, typer.Option(help="People, disjoint over the splits.")] = 8,
    clips: Annotated[int, typer.Option(help="Clips for each speaker and class.")] = 4,
    difficulty: Annotated[
        float, typer.Option(help="0 (every modality tells) to 1 (most clips have one that misleads).")
    ] = 0.3,
    length_s: Annotated[float, typer.Option(help="Seconds for each clip.")] = 3.0,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal pixels and samples.")] = 0,
    exist_ok: ExistOk = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a small audio-visual corpus by code: faces, speech-like sound and transcripts for six emotions."""
    from mmer.data.synth.corpus import make_corpus  # noqa: PLC0415
    from mmer.data.synth.recipe import SynthRecipe  # noqa: PLC0415
    from mmer.edge.corpus import Corpus  # noqa: PLC0415

    recipe = SynthRecipe(seed=seed, speakers=speakers, clips_per_class=clips, difficulty=difficulty, length_s=length_s)
    with _progress("making clips", len(recipe.clips), quiet=quiet) as advance:
        index = make_corpus(recipe, output, lambda done, _: advance(done), exist_ok=exist_ok)
    corpus = Corpus.read([index])
    facts = {"schema": "mmer.data.synth/1", "index": str(index), "clips": len(corpus.entries), "digest": corpus.digest}
    _print(facts if as_json else [f"{index}: {len(corpus.entries)} clips, digest {corpus.digest[:12]}"])


def main() -> NoReturn:
    """Run the command line and leave with the exit code that `mmer.edge.errors` states."""
    signal.signal(signal.SIGINT, _stop)
    try:
        app(prog_name="mmer")
    except _StoppedError as stopped:
        sys.exit(stopped.exit_code)
    except MmerError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        sys.stderr.write(f"error: {error.filename or 'output'}: {error.strerror}; free space or name another place\n")
        sys.exit(9)
    sys.exit(0)


class _StoppedError(BaseException):
    """Ctrl-C or a reader that went away, in a form that no library turns into something else."""

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code


def _stop(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough: what is open gets closed in peace
    raise _StoppedError(130)


def _print(result: dict[str, object] | list[str]) -> None:
    """Write a result to standard output: a JSON document, or lines."""
    text = json.dumps(result, ensure_ascii=False) if isinstance(result, dict) else "\n".join(result)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError as error:  # `mmer run ... | head -1`: whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        raise _StoppedError(141) from error


@contextmanager
def _lines(output: Path | None, *, exist_ok: bool, silent: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that writes a line at once: to the output file, else to standard output."""
    if output is None:
        yield (lambda _: None) if silent else lambda line: _print([line])
        return
    from mmer.edge.files import kept_lines, refuse_existing  # noqa: PLC0415

    with kept_lines(output) as write:
        refuse_existing(output, exist_ok=exist_ok)
        yield write


def _require(*modules: str, extra: str) -> None:
    """Raise `MissingDependencyError` naming the extra when a module is not installed."""
    for module in modules:
        if find_spec(module) is None:
            raise MissingDependencyError(module, extra)


def _seeded(changes: list[str] | None, seed: int | None) -> tuple[str, ...]:
    """Return the changes with the seed; raise `SettingError` for one that they hold already."""
    if any(change.partition("=")[0] == "seed" for change in changes or ()):
        raise SettingError("--set seed: the seed has an option of its own; give it as --seed")
    return (*(changes or ()), *(() if seed is None else (f"seed={seed}",)))


def _conditions(where: list[str] | None) -> list[tuple[str, str]]:
    pairs = [condition.partition("=") for condition in where or []]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise SettingError(f"--where {bad[0]} has no value; write it as COLUMN=VALUE")
    return [(name, value) for name, _, value in pairs]


@contextmanager
def _progress(title: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function that shows how many steps are done, on a terminal only."""
    with _phases(quiet=quiet) as show:
        yield lambda done: show(title, done, total)


@contextmanager
def _phases(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows what is being done, how many steps of it are done, and of how many."""
    if quiet or not sys.stderr.isatty():
        yield lambda _title, _done, _total: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, TaskID  # noqa: PLC0415

    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), transient=True) as bar:

        def show(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bar.add_task(title, total=total)
            bar.update(tasks[title], completed=done)

        yield show


if __name__ == "__main__":
    main()
