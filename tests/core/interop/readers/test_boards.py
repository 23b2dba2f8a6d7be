"""Logs of TensorBoard as people write them, by torch's SummaryWriter."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.events import Notice, StepLogged
from core.interop.readers.formats.event_files import read_block
from core.interop.readers.logs import find_log, find_logs
from tests.support.foreign_logs import history_of, points, read_all

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

Writer = Callable[..., Any]


@pytest.fixture
def writer() -> Writer:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter


def test_names_of_pytorchs_documentation(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for epoch in range(4):
        board.add_scalar("Loss/train", 1 / (epoch + 1), epoch)
        board.add_scalar("Loss/test", 2 / (epoch + 1), epoch)
        board.add_scalar("Accuracy/test", epoch / 4, epoch)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(1, 2), (2, 1), (3, 0.6667), (4, 0.5)]
    assert points(history, "train loss by step") == [(1, 1), (2, 0.5), (3, 0.3333), (4, 0.25)]
    assert (history.epoch, history.best_epoch, history.evaluation) == (4, 4, {})


def test_test_at_the_end_is_no_validation(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for epoch in range(3):
        board.add_scalar("Loss/train", 1.0, epoch)
    board.add_scalar("Loss/test", 0.5, 2)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert (history.epochs, history.evaluation) == (type(history.epochs)(), {"test": {"loss": 0.5}})


@pytest.mark.parametrize("order", [1, -1])
def test_checkpoints_that_are_validated_after_training(tmp_path: Path, writer: Writer, order: int) -> None:
    board = writer(tmp_path)
    for step in range(0, 100, 10):
        board.add_scalar("train/loss", 1 / (step + 1), step)
    for step in range(0, 81, 20)[::order]:
        board.add_scalar("val/loss", 2 / (step + 1), step)
        board.add_scalar("val/acc", math.nan if step == 40 else step / 100, step)
    board.flush()
    log = find_log(tmp_path)
    history = history_of(read_all(log))
    assert points(history, "validation loss") == [(0, 2), (1, 0.0952), (2, 0.0488), (3, 0.0328), (4, 0.0247)]
    assert points(history, "train loss by step")[::3] == [(0, 1), (1.5, 0.0323), (3, 0.0164), (4.5, 0.011)]
    assert (history.best_epoch, history.steps_per_epoch, history.evaluation) == (4, 20, {})
    assert not read_all(log)
    board.add_scalar("val/loss", 0.5, 70)
    board.close()
    later = history_of(read_all(log))
    assert points(later, "validation loss")[-2:] == [(3.5, 0.5), (4, 0.0247)]


def test_validation_that_comes_after_two_tests(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for step in (1, 2):
        board.add_scalar("test/loss", step, step)
    board.add_scalar("val/loss", 4.0, 3)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(1, 4)]
    assert history.evaluation == {"test": {"loss": 2.0}}


def test_add_scalars_makes_one_metric_of_its_folders(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for epoch in range(3):
        board.add_scalars("Loss", {"train": 1.0, "val": 2.0 - epoch}, epoch)
        board.add_scalar("Accuracy/val", epoch / 4, epoch)
    board.close()
    assert [found.path for found in find_logs(tmp_path)] == [tmp_path]
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(1, 2), (2, 1), (3, 0)]
    assert points(history, "validation accuracy") == [(1, 0), (2, 0.25), (3, 0.5)]
    assert points(history, "train loss by step") == [(1, 1), (2, 1), (3, 1)]


def test_folders_beside_the_main_log_add_to_it(tmp_path: Path, writer: Writer) -> None:
    """tensorboardX writes `add_scalars` so, at any step."""
    board = writer(tmp_path)
    for step in range(5):
        board.add_scalar("loss/train", 1.0, step)
        board.add_scalar("loss/valid", 2.0, step)
    for name, value in (("train", 1), ("val", 2)):
        part = writer(tmp_path / "both" / name)
        part.add_scalar("both", value, 3)
        part.close()
    board.close()
    assert [found.path for found in find_logs(tmp_path)] == [tmp_path]
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(epoch, 2) for epoch in range(1, 6)]
    assert points(history, "train loss by step") == [(epoch, 1) for epoch in range(1, 6)]
    assert (history.epoch, history.evaluation) == (5, {"validation": {"both": 2.0}})


def test_training_by_step_and_validation_by_epoch(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for epoch in range(3):
        for step in range(20):
            board.add_scalar("train/loss", 1.0, 20 * epoch + step)
        board.add_scalar("val/loss", 4.0 - epoch, epoch)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(1, 4), (2, 3), (3, 2)]
    assert (history.step, history.steps_per_epoch) == (60, 20)


def test_numbers_that_are_not_finite_and_clocks_that_jump(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for epoch, (loss, clock) in enumerate([(1, 1e9), (math.nan, 2e9), (-math.inf, 5e8), (0.5, 3e9)]):
        board.add_scalar("train/loss", loss, epoch, walltime=clock)
        board.add_scalar("val/loss", 1 - epoch / 4, epoch, walltime=clock)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(1, 1), (2, 0.75), (3, 0.5), (4, 0.25)]
    assert (history.diverged_at, history.best_epoch) == (2, 4)


def test_a_log_without_numbers_is_an_empty_run(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path / "pictures")
    board.add_text("note", "hello")
    board.add_histogram("weights", np.arange(10.0))
    board.close()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "events.out.tfevents.1.host").write_bytes(b"")
    for name in ("pictures", "empty"):
        history = history_of(read_all(find_log(tmp_path / name)))
        assert (history.epoch, history.step, history.reported) == (0, 0, [])


def test_many_runs_and_many_names(tmp_path: Path, writer: Writer) -> None:
    for run in range(10):
        board = writer(tmp_path / f"run_{run}" / ("sub" if run % 2 else ""))
        for name in range(200 if run == 4 else 1):
            board.add_scalar(f"val/layer{name}", name, 1)
        board.close()
    found = [*find_logs(tmp_path)]
    assert len(found) == 10
    assert len(history_of(read_all(found[4].reader())).reported) == 200


def test_hyper_parameters_are_settings(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for epoch in range(2):
        board.add_scalar("val/loss", 1 / (epoch + 1), epoch + 1)
    board.add_hparams({"lr": 0.1, "bs": 32, "name": "wide", "nesterov": True}, {"hparam/accuracy": 0.9})
    board.close()
    assert [found.path for found in find_logs(tmp_path)] == [tmp_path]
    history = history_of(read_all(find_log(tmp_path)))
    assert history.started is not None
    assert history.started.config["optimizer"] == {"lr": 0.1}
    assert history.started.config["settings"] == {"bs": 32, "name": "wide", "nesterov": True}
    assert history.reported == []


def test_a_restart_discards_what_came_after_it(tmp_path: Path, writer: Writer) -> None:
    for number, (first, value) in enumerate([(0, 1.0), (40, 0.5)]):
        board = writer(tmp_path, filename_suffix=f".{number}", purge_step=first or None)
        for step in range(first, 60 + first):
            board.add_scalar("train/loss", value, step, walltime=1000 + 1000 * number + step)
            if step % 20 == 19:
                board.add_scalar("val/loss", value, step, walltime=1000 + 1000 * number + step)
        board.close()
    for file, name in zip(sorted(tmp_path.iterdir(), key=lambda file: file.suffix), "01", strict=True):
        file.rename(tmp_path / f"events.out.tfevents.{name}")  # both may have been begun in the same second
    events = read_all(find_log(tmp_path))
    history = history_of(events)
    assert points(history, "validation loss") == [(1, 1), (2, 1), (3, 0.5), (4, 0.5), (5, 0.5)]
    assert [event.epoch for event in events if isinstance(event, StepLogged)][-40::20] == [4, 5]
    steps = points(history, "train loss by step")
    assert len(steps) == 100
    assert [value for _, value in steps] == [1.0] * 40 + [0.5] * 60


def test_a_validation_before_training_is_epoch_0(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    board.add_scalar("val/loss", 9.0, 0)
    for step in range(1, 101):
        board.add_scalar("train/loss", 1 / step, step)
        if step % 50 == 0:
            board.add_scalar("val/loss", 1 / step, step)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(0, 9), (1, 0.02), (2, 0.01)]
    assert (history.epoch, history.best_epoch, history.steps_per_epoch) == (2, 2, 50)


def test_an_evaluation_at_step_0_with_training_numbers_is_measured_from_the_second(
    tmp_path: Path, writer: Writer
) -> None:
    board = writer(tmp_path)
    for step in (0, 250, 500):
        board.add_scalar("train/loss", 1.0, step)
        board.add_scalar("val/loss", 2.0, step)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(0, 2), (1, 2), (2, 2)]


def test_a_log_without_steps_counts_them(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for value in range(5):
        board.add_scalar("train/loss", value)
        board.add_scalar("val/loss", value)
    board.close()
    history = history_of(read_all(find_log(tmp_path)))
    assert points(history, "validation loss") == [(n + 1, n) for n in range(5)]


def test_damage_is_reported_and_ends_the_log_only_where_it_must(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for step in range(1, 101):
        board.add_scalar("val/loss", step, step)
    board.close()
    file = next(tmp_path.iterdir())
    whole = file.read_bytes()
    place = whole.index(b"val/loss", len(whole) // 2)
    file.write_bytes(whole[:place] + b"VAL" + whole[place + 3 :])  # a wrong checksum of one event
    events = read_all(find_log(tmp_path))
    assert len(points(history_of(events), "validation loss")) == 99
    assert [event.message for event in events if isinstance(event, Notice)] == [
        f"{file.name} has damaged records, which are left out"
    ]
    start = place - whole[:place].rindex(b"\x09")  # the length stands 12 bytes before the event
    head = place - start
    file.write_bytes(whole[: head + start - 24] + b"\xff" * 8 + whole[head + start - 16 :])
    log = find_log(tmp_path)
    events = read_all(log)
    assert 0 < len(points(history_of(events), "validation loss")) < 100
    assert ["cannot be read on" in event.message for event in events if isinstance(event, Notice)] == [True]
    assert log.read() == []


def test_a_torn_record_waits(tmp_path: Path, writer: Writer) -> None:
    board = writer(tmp_path)
    for step in range(1, 11):
        board.add_scalar("val/loss", step, step)
    board.close()
    file = next(tmp_path.iterdir())
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    log = find_log(tmp_path)
    events = read_all(log)
    assert len(points(history_of(events), "validation loss")) == 9
    file.write_bytes(whole)
    assert len(points(history_of(events + read_all(log)), "validation loss")) == 10


def test_blocks_hold_what_tensorboards_own_reader_finds(tmp_path: Path, writer: Writer) -> None:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    rng = np.random.default_rng(0)
    board = writer(tmp_path)
    board.add_text("note", "[bold]not a number")
    board.add_histogram("weights", np.arange(10.0))
    for step in [*range(140), 20_000, 1 << 40]:
        for tag in rng.permutation(["loss", "val/loss", "ü/größe", *(f"layer{n}/norm" for n in range(40))])[
            :7
        ]:
            board.add_scalar(str(tag), rng.normal(), step, new_style=bool(rng.integers(2)))
    board.add_scalar("odd", math.inf, 3)
    board.add_scalar("odd", math.nan, 4)
    board.close()
    file = next(tmp_path.iterdir())
    block = read_block(file.read_bytes())
    ours = sorted(
        (int(place), float(time), int(step), tag, repr(float(value)))
        for part in block.scalars
        for place, time, step, value, tag in zip(*part[:4], part.tags, strict=True)
    )
    theirs = [
        (event.wall_time, event.step, value.tag, repr(float(array.item())))
        for event in EventFileLoader(str(file)).Load()
        for value in event.summary.value
        if value.HasField("tensor")
        and (array := make_ndarray(value.tensor)).size == 1
        and array.dtype.kind == "f"
    ]
    assert [each[1:] for each in ours] == theirs
    assert (block.damaged, block.is_broken, block.end) == (0, False, file.stat().st_size)
