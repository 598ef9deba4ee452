"""What a training says while it goes on, on a terminal, in a pipe, in its log and in TensorBoard."""

import io
import re
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from mmer.edge.errors import MissingDependencyError
from mmer.training.history import Epoch
from mmer.training.stages import Stage
from mmer.training.train import TrainSettings
from mmer.training.watch.board import Board, require_board
from mmer.training.watch.logfile import LogFile
from mmer.training.watch.row import Row
from mmer.training.watch.show import shown
from mmer.training.watch.table import LiveTable
from mmer.training.watch.watcher import Lines, Plan, Unwatched, listener

PLAN = Plan(TrainSettings(("happy", "sad")), "d1gest", {"all": 30}, 40, ("few or no clips in train: sad (1)",))
FIRST, SECOND = Epoch(1, 1.5, 0.5, 0.7, 0.6, 0.8, 2.0), Epoch(2, 1.0, 0.5, 0.5, 0.5, 0.7, 3.0)


def told(watcher, epochs=(FIRST, SECOND)):
    """Tell a watcher of a training."""
    with watcher:
        watcher.begin(PLAN)
        hear = listener([watcher], PLAN)
        for epoch in epochs:
            hear.step(20 * epoch.number)
            hear.epoch(epoch)


def test_a_row_holds_figures_speed_and_memory():
    cells = Row(FIRST, 15.0, 640.4, 120.0).cells
    assert list(cells.items())[:4] == [("epoch", "1"), ("loss", "1.500"), ("val UAR", "0.700"), ("accuracy", "0.500")]
    assert (cells["clips/s"], cells["time"], cells["memory"], cells["GPU"]) == ("15.0", "2.0 s", "640 MB", "120 MB")


def test_memory_that_nobody_can_tell_is_left_out():
    assert not {"memory", "GPU"} & Row(FIRST, 15.0, None, None).cells.keys()


def test_speed_is_all_clips_over_the_time_of_the_epoch():
    assert Row.now(FIRST, 30).clips_per_s == 15.0


def test_a_pipe_gets_a_line_for_each_remark_and_each_epoch():
    stream = io.StringIO()
    told(shown(stream, quiet=False))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "remark: few or no clips in train: sad (1)"
    assert [line[:18] for line in lines[1:]] == ["epoch 1  loss 1.50", "epoch 2  loss 1.00"]


def test_quiet_is_quiet():
    stream = io.StringIO()
    told(shown(stream, quiet=True))
    assert stream.getvalue() == ""
    assert isinstance(shown(stream, quiet=True), Unwatched)


def terminal(height):
    return Console(file=io.StringIO(), force_terminal=True, width=100, height=height, color_system="truecolor")


def rows_of(table, console):
    with console.capture() as capture:
        console.print(table.shown())
    return [line for line in capture.get().splitlines() if re.match(r" +\d+ ", plain(line))]


def plain(line):
    return re.sub(r"\x1b\[[\d;]*m", "", line)


def test_a_terminal_gets_a_table_with_the_best_epoch_in_bold():
    console = terminal(30)
    told(table := LiveTable(console))
    first, second = rows_of(table, console)
    assert "\x1b[1;32m" in first
    assert "0.700" in first
    assert "\x1b[1;32m" not in second


def test_a_low_terminal_shows_the_last_epochs_and_the_best():
    console = terminal(11)
    late = [Epoch(number, 1.0, 0.1, 0.1, 0.1, 0.1, 1.0) for number in range(2, 9)]
    told(table := LiveTable(console), [FIRST, *late])
    numbers = [int(plain(line).split()[0]) for line in rows_of(table, console)]
    assert numbers == [1, 7, 8]


def test_the_log_keeps_settings_remarks_epochs_and_the_end(tmp_path):
    told(LogFile(tmp_path / "log"))
    kinds = [line.split(" ")[1] for line in (tmp_path / "log").read_text().splitlines()]
    assert kinds == ["versions", "settings", "corpus", "remark", "epoch", "epoch"]


def test_the_log_says_what_stopped_a_training_and_goes_on_behind_it(tmp_path):
    with pytest.raises(ValueError, match="no more"), LogFile(tmp_path / "log"):
        raise ValueError("no more")
    told(LogFile(tmp_path / "log"))
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0].endswith("stopped no more")
    assert len(lines) == 7


@pytest.fixture
def private(tmp_path):
    """A plan with a folder of text weights and an index of a stage's own, somewhere on this machine."""
    (tmp_path / "weights").mkdir()
    stage = Stage(data=str(tmp_path / "faces.csv"))
    return replace(PLAN, settings=replace(PLAN.settings, text_weights=str(tmp_path / "weights"), stages=(stage,)))


def test_the_log_names_folders_and_indexes_but_not_where_they_lie(private, tmp_path):
    with LogFile(tmp_path / "log") as log:
        log.begin(private)
    said = (tmp_path / "log").read_text()
    assert '"text_weights": "weights"' in said
    assert '"data": "faces.csv"' in said
    assert str(tmp_path) not in said


def test_tensorboard_does_not_say_where_they_lie_either(private, tmp_path):
    pytest.importorskip("tensorboard")
    with Board(tmp_path / "board") as board:
        board.begin(private)
    (written,) = (tmp_path / "board").iterdir()
    assert b"faces.csv" in written.read_bytes()
    assert str(tmp_path).encode() not in written.read_bytes()


def test_tensorboard_holds_every_figure_of_every_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told(Board(tmp_path))
    kept = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, round(e.value, 3)) for e in kept.Scalars("val/uar")] == [(1, 0.7), (2, 0.5)]
    assert {"loss/train", "speed/clips_per_s"} <= set(kept.Tags()["scalars"])


def test_without_tensorboard_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'mmer\[watch\]'"):
        require_board()


def test_all_watchers_are_told():
    heard = [[], []]
    tell = listener([Lines(part.append) for part in heard], PLAN)
    tell.epoch(FIRST)
    assert heard[0] == heard[1] != []
