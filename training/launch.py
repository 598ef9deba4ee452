"""A training from its command to the checkpoint: what was asked for, what is ready, and the run."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from mmer.edge.corpus import Corpus
from mmer.edge.files import claim
from mmer.training.checkpoint import FACTS
from mmer.training.foresight import foresee
from mmer.training.graft import begun
from mmer.training.material import Material
from mmer.training.progress import claim_progress, progress_path
from mmer.training.ranks import leader_first, leads
from mmer.training.samples import Sample, labels_of
from mmer.training.start import Start
from mmer.training.train import Beginning, Trained, TrainSettings, train
from mmer.training.unwritten import written
from mmer.training.usual import Wish, steps, usual, wished_fit, wished_stages
from mmer.training.watch.board import Board, require_board
from mmer.training.watch.logfile import LOG, LogFile, log_path
from mmer.training.watch.remarks import remarks
from mmer.training.watch.results import write_results
from mmer.training.watch.watcher import Plan, Watcher, listener


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    wish: Wish
    """Its preset may be empty: that of the start, else `small`."""
    data: tuple[Path, ...]
    where: tuple[tuple[str, str], ...]
    output: Path
    start: tuple[str, ...] = ()
    """A checkpoint, or branches as `MODALITY=CHECKPOINT`."""
    board: Path | None = None
    """A folder for TensorBoard."""
    resume: bool = False
    exist_ok: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything that a training needs, found to be usable."""

    order: Order
    settings: TrainSettings
    samples: tuple[Sample, ...]
    beginning: Beginning
    plan: Plan


@dataclass(frozen=True, slots=True)
class Launched:
    """A training that is over."""

    trained: Trained
    remarks: tuple[str, ...]
    """What could not be had beside the model."""


def prepared(order: Order, progress: Callable[[int, int], None]) -> Ready:
    """Refuse what cannot be done and read the clips; `progress` hears how many are read, and of how many."""
    if order.board is not None:
        require_board()
    order = _claimed(order) if leads() else order
    start = begun(order.start, _seed(order.wish)) if order.start else None
    wish = _complete(order.wish, start)
    material = Material.of(Corpus.read(order.data).where(order.where), wished_stages(wish))
    beginning = Beginning(start, progress_path(order.output), order.resume, material.digests)
    corpus = material.everything
    settings = usual(wish, labels_of(corpus), start)
    foresee(settings, start)
    with leader_first():
        samples = material.samples(settings.labels, settings.inputs, lambda done: progress(done, len(corpus.entries)))
    return Ready(order, settings, samples, beginning, _plan(settings, samples, corpus.digest))


def launch(ready: Ready, watcher: Watcher) -> Launched:
    """Train, write the checkpoint and what belongs to it, and leave nothing beside it.

    Raises `UnwrittenError` when the disk does not take it; the progress file is there until everything is written.
    """
    if not leads():
        return Launched(train(ready.samples, ready.settings, ready.plan.corpus, beginning=ready.beginning), ())
    output, progress = ready.order.output, progress_path(ready.order.output)
    log = LogFile(log_path(output))
    board = () if ready.order.board is None else (Board(ready.order.board),)
    with ExitStack() as watching, written(output, progress):
        watchers = [watching.enter_context(one) for one in (log, *board, watcher)]
        trained = _trained(ready, watchers)
        said = _written(ready, trained, log)
    log_path(output).replace(output / LOG)
    progress.unlink()
    return Launched(trained, said)


def _trained(ready: Ready, watchers: list[Watcher]) -> Trained:
    for one in watchers:
        one.begin(ready.plan)
    heard = listener(watchers, ready.plan)
    return train(ready.samples, ready.settings, ready.plan.corpus, heard, ready.beginning)


def _written(ready: Ready, trained: Trained, log: LogFile) -> tuple[str, ...]:
    output = ready.order.output
    trained.checkpoint.save(output, exist_ok=ready.order.exist_ok)
    last = ready.settings.course[-1]
    judged = [sample for split in ("train", "val") for sample in last.part(ready.samples, split)]
    said = write_results(trained, judged, output)
    for remark in said:
        log.write("remark", remark)
    log.write("done", f"epoch {trained.result.best} kept in {output.name}")
    return said


def _claimed(order: Order) -> Order:
    if order.board is not None:
        claim(order.board / "events", marker=None, exist_ok=True)
    going_on = claim_progress(progress_path(order.output), resume=order.resume, exist_ok=order.exist_ok)
    order = replace(order, exist_ok=order.exist_ok or going_on)  # a kill may have come between checkpoint and end
    claim(order.output, marker=FACTS, exist_ok=order.exist_ok)
    return order


def _complete(wish: Wish, start: Start | None) -> Wish:
    return replace(wish, preset=wish.preset or (start.checkpoint.facts.preset if start else "small"))


def _seed(wish: Wish) -> int:
    return wished_fit(_complete(wish, None)).seed  # the same in every preset


def _plan(settings: TrainSettings, samples: tuple[Sample, ...], digest: str) -> Plan:
    clips = {
        stage.name: sum(len(stage.part(samples, split)) for split in ("train", "val")) for stage in settings.course
    }
    odd = remarks(samples, settings.labels, settings.modality)
    return Plan(settings, digest, clips, steps(samples, settings), odd)
