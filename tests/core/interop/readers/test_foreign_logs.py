"""Logs of other tools, written by those tools, read as events while they grow."""

import os
from pathlib import Path

import pytest

from core.errors import InputError
from core.events import EpochFinished, MediaLogged, RunStarted, StepLogged
from core.interop.readers.following import ForeignLog
from core.interop.readers.formats.csv_tables import CsvSource
from core.interop.readers.logs import find_log
from core.interop.readers.names import place_of
from tests.support.fixtures import TrainRun
from tests.support.foreign_logs import history_of, read_all


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("train_loss", ("train", "loss")),
        ("train_loss_step", ("train", "loss")),
        ("val_acc", ("validation", "accuracy")),
        ("Loss/train", ("train", "loss")),
        ("Accuracy/Validation", ("validation", "accuracy")),
        ("eval/loss", ("validation", "loss")),
        ("valid.f1_macro", ("validation", "f1_macro")),
        ("test_loss", ("test", "loss")),
        ("loss", ("train", "loss")),
        ("lr", ("lr", "lr")),
        ("train/learning_rate", ("lr", "lr")),
        ("lr-Adam", ("lr", "lr")),
        ("epoch", ("epoch", "epoch")),
        ("lr/pg0", ("lr", "lr")),
        ("Loss/valid_loss", ("validation", "loss")),
        ("Loss/train_acc", ("train", "accuracy")),
        ("Loss/train_box", ("train", "loss_box")),
        ("val_unseen/acc", ("validation", "unseen_accuracy")),
        ("rollout/ep_rew_mean", ("train", "rollout_ep_rew_mean")),
        ("eval/mean_reward", ("validation", "mean_reward")),
        ("Ünï/verlust 😀", ("train", "ünï_verlust_😀")),
        ("metrics/mAP50-95(B)", ("validation", "map50_95_b")),
        ("epoch_loss", ("train", "loss")),
        ("train/epoch_loss", ("train", "loss")),
        ("val_loss/dataloader_idx_0", ("validation", "loss")),
        ("val_loss/dataloader_idx_1", ("validation", "loss_set_1")),
        ("eval_runtime", ("system", "eval_runtime")),
        ("eval/samples_per_second", ("system", "eval/samples_per_second")),
        ("hparam/accuracy", ("system", "hparam/accuracy")),
        ("Train Loss", ("train", "loss")),
        ("system/cpu", ("system", "cpu")),
        ("train", ("train", "value")),
        ("", ("train", "value")),
    ],
)
def test_what_names_mean(name: str, place: tuple[str, str]) -> None:
    assert place_of(name) == place


@pytest.mark.parametrize("steps", [(1, 2), (10, 20)])
def test_tensorboard_is_followed_while_it_grows(tmp_path: Path, steps: tuple[int, int]) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from torch.utils.tensorboard import SummaryWriter

    first, second = steps
    writer = SummaryWriter(str(tmp_path))
    writer.add_scalar("Loss/train", 1.0, first)
    writer.add_scalar("lr", 0.5, first)
    writer.add_scalar("Loss/val", 2.0, first)
    writer.add_scalar("Acc/val", 0.25, first)
    writer.add_text("note", "not a number", first)
    writer.flush()
    log = find_log(tmp_path)
    events = read_all(log)
    assert [type(event) for event in events] == [RunStarted, MediaLogged, StepLogged, EpochFinished]
    writer.add_scalar("Loss/train", float("nan"), second)
    writer.add_scalar("Loss/val", 1.0, second)
    writer.add_scalar("test/accuracy", 0.75, second)
    writer.close()
    history = history_of(events + read_all(log))
    assert (history.epoch, history.best_epoch, history.step) == (2, 2, second)
    assert history.curve("validation loss").points()[1].tolist() == [2.0, 1.0]
    assert history.epochs[0].event.validation == {"loss": 2.0, "accuracy": 0.25}
    assert history.last_step is not None
    assert history.last_step.lr == 0.5
    assert history.diverged_at is not None
    assert history.evaluation == {"test": {"accuracy": 0.75}}


def test_parts_of_one_log_in_folders_of_their_own(tmp_path: Path) -> None:
    """Keras and `add_scalars` write them so."""
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from torch.utils.tensorboard import SummaryWriter

    for epoch in range(3):
        for part in ("train", "validation"):
            writer = SummaryWriter(str(tmp_path / "run" / part))
            writer.add_scalar("epoch_loss", 1.0 / (1 + epoch), epoch, walltime=100.0 + epoch)
            writer.close()
    log = find_log(tmp_path)
    assert log.path == tmp_path / "run"
    history = history_of(read_all(log))
    assert history.epoch == 3
    assert history.curve("train loss by step").points()[1].tolist() == pytest.approx([1.0, 0.5, 1 / 3])


def test_what_we_give_tensorboard_is_read_back_the_same(tmp_path: Path, train_run: TrainRun) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from core.observers.tensorboard import TensorBoard

    trained = train_run({"data": "iris"})
    board = TensorBoard(trained.run)
    for event in trained.events:
        board.take(event)
    history, ours = (
        history_of(read_all(find_log(trained.run.path / "tensorboard"))),
        history_of(trained.events),
    )
    for name in ("validation loss", "validation accuracy"):
        assert history.curve(name).points()[1] == pytest.approx(ours.curve(name).points()[1])
    assert history.best_epoch == ours.best_epoch
    assert history.evaluation["test"]["accuracy"] == pytest.approx(ours.evaluation["test"]["accuracy"])


LIGHTNING = """epoch,step,train_loss,val_acc,val_loss
0,1,0.9,,
0,3,0.8,,
0,4,,0.5,0.7
1,5,nan,,
1,9,,0.6,0.6
"""


def test_a_table_of_lightning_is_followed_while_it_grows(tmp_path: Path) -> None:
    table = tmp_path / "version_0" / "metrics.csv"
    table.parent.mkdir()
    table.write_text(LIGHTNING[:50])
    log = find_log(tmp_path)
    events = read_all(log)
    assert [type(event) for event in events] == [RunStarted, StepLogged]
    table.write_text(LIGHTNING)
    history = history_of(events + read_all(log))
    assert (history.epoch, history.best_epoch, history.step) == (2, 2, 10)
    assert history.curve("train loss by step").points()[1][:2].tolist() == [0.9, 0.8]
    assert history.epochs[0].event.train == pytest.approx({"loss": 0.85})
    assert history.diverged_at is not None
    assert log.read() == []


def test_a_table_that_gets_another_column_is_read_anew(tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    table.write_text("step,train_loss\n1,0.9\n2,0.8\n")
    log = ForeignLog(CsvSource(table))
    events = read_all(log)
    table.write_text("step,train_acc,train_loss\n1,,0.9\n2,,0.8\n3,0.5,0.7\n")
    more = read_all(log)
    assert isinstance(more[0], RunStarted)
    history = history_of(events + more)
    assert history.curve("train loss by step").points()[1].tolist() == [0.9, 0.8, 0.7]
    table.unlink()
    assert log.read() == []


@pytest.mark.slow
def test_lightning_itself_writes_what_we_read(tmp_path: Path) -> None:
    loggers = pytest.importorskip("lightning.pytorch.loggers", reason="lightning is not installed")
    logger = loggers.CSVLogger(str(tmp_path))
    logger.log_metrics({"train_loss": 0.5, "epoch": 0}, step=1)
    logger.save()
    log = find_log(tmp_path)
    events = read_all(log)
    logger.log_metrics({"val_loss": 0.25, "epoch": 0}, step=2)
    logger.save()
    history = history_of(events + read_all(log))
    assert history.curve("train loss by step").points()[1].tolist() == [0.5]
    assert history.curve("validation loss").points()[1].tolist() == [0.25]


@pytest.mark.parametrize("newest", ["lightning/metrics.csv", "b/events.out.tfevents.1"])
def test_of_several_logs_the_one_written_last_is_taken(tmp_path: Path, newest: str) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    files = [
        "lightning/metrics.csv",
        *(f"{name}/events.out.tfevents.{at}" for name in "ab" for at in range(4)),
    ]
    for place, name in enumerate(files):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("step,loss\n1,0.5\n")
        seconds = 1000 + place if name != newest else 2000
        os.utime(file, (seconds, seconds))
    log = find_log(tmp_path)
    assert log.path == (tmp_path / newest if newest.endswith("csv") else (tmp_path / newest).parent)


@pytest.mark.parametrize("name", ["empty", "notes.csv", "picture.bin", "nothing"])
def test_what_is_no_log_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    (tmp_path / "picture.bin").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="nor a log that can be read"):
        find_log(tmp_path / name)


def test_hostile_tables_are_read_without_harm(tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    table.write_bytes(
        b"step,loss,\x1b[31m\n" + b"1,0.5,x,too,many\n,,\n1e400,1e400,\n-5,0.25,1\nx,y\n\xff,\n3\n"
    )
    history = history_of(read_all(ForeignLog(CsvSource(table))))
    assert history.step >= 1
    assert 0.5 in history.curve("train loss by step").points()[1]
