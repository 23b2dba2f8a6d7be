"""Every format of other tools' logs: found, read in pieces as at once, and quiet when there is nothing new."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.events import EpochFinished, RunStarted
from core.interop.readers.following import ForeignLog
from core.interop.readers.logs import FORMATS, Format, find_log, find_logs
from tests.support.foreign_logs import (
    history_of,
    points,
    read_all,
    write_database,
    write_mlflow,
    write_trackio,
    write_wandb,
)

Write = Callable[[Path, int], None]


def write_board(path: Path, epochs: int) -> None:
    from torch.utils.tensorboard import SummaryWriter

    shutil.rmtree(path, ignore_errors=True)
    board = SummaryWriter(str(path), filename_suffix=".x")
    for epoch in range(1, epochs + 1):
        board.add_scalar("train/loss", 2 / epoch, epoch, walltime=epoch)
        board.add_scalar("val/loss", 4 / epoch, epoch, walltime=epoch)
    board.close()
    next(path.iterdir()).rename(path / "events.out.tfevents.1")


def write_state(path: Path, epochs: int) -> None:
    path.mkdir(exist_ok=True)
    entries = [
        f'{{"loss": {2 / epoch}, "step": {epoch}}}, {{"eval_loss": {4 / epoch}, "step": {epoch}}}'
        for epoch in range(1, epochs + 1)
    ]
    text = f'{{"global_step": {epochs}, "max_steps": 9, "log_history": [{", ".join(entries)}]}}'
    (path / "trainer_state.json").write_text(text)


def write_csv(path: Path, epochs: int) -> None:
    path.mkdir(exist_ok=True)
    rows = (f"{epoch},{2 / epoch},{4 / epoch}\n" for epoch in range(1, epochs + 1))
    (path / "log.csv").write_text("epoch,loss,val_loss\n" + "".join(rows))


def write_json_lines(path: Path, epochs: int) -> None:
    path.mkdir(exist_ok=True)
    rows = (
        f'{{"step": {epoch}, "loss": {2 / epoch}, "val": {{"loss": {4 / epoch}}}}}\n'
        for epoch in range(1, epochs + 1)
    )
    (path / "log.jsonl").write_text("".join(rows))


WRITERS: dict[str, Write] = {
    "tensorboard": write_board,
    "trainer_state": write_state,
    "csv": write_csv,
    "json lines": write_json_lines,
    "mlflow": write_mlflow,
    "mlflow database": write_database,
    "wandb": write_wandb,
    "trackio": write_trackio,
}
by_format = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


@pytest.fixture
def write(format: Format) -> Write:
    if format.name == "tensorboard":
        pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    return WRITERS[format.name]


def losses(epochs: int) -> list[tuple[float, float]]:
    return [(epoch, round(4 / epoch, 4)) for epoch in range(1, epochs + 1)]


@by_format
def test_a_log_is_found_and_read(tmp_path: Path, format: Format, write: Write) -> None:
    write(tmp_path / "log", 3)
    found = [*find_logs(tmp_path)]
    assert [each.format.name for each in found] == [format.name]
    assert all(file.is_file() for file in format.files(found[0].path))
    events = read_all(found[0].reader())
    history = history_of(events)
    assert points(history, "validation loss") == losses(3)
    assert [value for _, value in points(history, "train loss by step")] == [2, 1, 0.6667]
    assert isinstance(events[0], RunStarted)
    assert (history.best_epoch, history.reported) == (3, [])
    assert events[0].config["script"]["name"] == found[0].reader().tool
    assert read_all(find_log(tmp_path))


@by_format
def test_a_log_that_grows_tells_what_is_new(tmp_path: Path, format: Format, write: Write) -> None:
    path = tmp_path / "log"
    write(path, 2)
    found = next(find_logs(tmp_path))
    before, log = found.stamp(), found.reader()
    events = read_all(log)
    assert log.read() == log.read() == []
    write(path, 4)
    assert found.stamp() != before
    more = read_all(log)
    assert points(history_of([*events, *more]), "validation loss") == losses(4)
    if not any(isinstance(event, RunStarted) for event in more):  # else it was written anew
        assert [event.epoch for event in more if isinstance(event, EpochFinished)] == [3, 4]


@by_format
def test_a_log_that_goes_away_is_quiet(tmp_path: Path, format: Format, write: Write) -> None:
    write(tmp_path / "log", 2)
    found = next(find_logs(tmp_path))
    log = found.reader()
    read_all(log)
    shutil.rmtree(tmp_path / "log")
    assert read_all(log) == []
    assert isinstance(log, ForeignLog)
    assert (found.stamp(), found.modified()) == ((), 0.0)


@by_format
def test_rewinding_reads_the_same_again(tmp_path: Path, format: Format, write: Write) -> None:
    write(tmp_path / "log", 3)
    source = format.source(next(find_logs(tmp_path)).path)
    first = source.read().rows
    source.rewind()
    assert source.read().rows == first
    assert first
