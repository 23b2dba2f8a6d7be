"""Tables and JSON lines with the columns of real tools' files."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from core.events import EpochFinished, Notice
from core.interop.readers.logs import find_log, find_logs
from core.runs.history.history import History
from tests.support.foreign_logs import history_of, points, read_all


def written(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def history_at(path: Path) -> History:
    return history_of(read_all(find_log(path)))


ULTRALYTICS = (
    "epoch,time,train/loss,metrics/accuracy_top1,val/loss,lr/pg0",
    *(f"{epoch},{3 * epoch},{2 / epoch},{epoch / 4},{4 / epoch},0.01" for epoch in (1, 2, 4)),
)
TOOLS = {
    "Keras": ("log.csv", ("epoch,accuracy,loss,val_accuracy,val_loss", "0,0.1,2,0.25,4", "1,0.2,1,0.5,2")),
    "Keras, with semicolons": (
        "training.log",
        (
            "epoch;accuracy;learning_rate;loss;val_accuracy;val_loss",
            "0;0.1;0.001;2;0.25;4",
            "1;0.2;0.001;1;0.5;2",
        ),
    ),
    "fastai": (
        "history.csv",
        ("epoch,train_loss,valid_loss,accuracy,time", "0,2,4,0.25,00:01", "1,1,2,0.5,00:01"),
    ),
    "timm": (
        "summary.csv",
        ("epoch,train_loss,eval_loss,eval_accuracy,lr", "0,2,4,0.25,0.05", "1,1,2,0.5,0.05"),
    ),
    "Ultralytics, padded": (
        "train/results.csv",
        (
            ",".join(f"{name:>23}" for name in ["epoch", "train/loss", "metrics/accuracy", "val/loss"]),
            *(",".join(f"{value:>23}" for value in row) for row in ((1, 2, 0.25, 4), (2, 1, 0.5, 2))),
        ),
    ),
    "a script": ("home.csv", ("Epoch,Train Loss,Val Loss,Val Acc", "1,2,4,0.25", "2,1,2,0.5")),
    "epochs and steps from 0": (
        "log.csv",
        ("step,epoch,loss,val_loss,val_acc", "0,0,2,4,0.25", "1,1,1,2,0.5"),
    ),
    "JSON lines": (
        "run.jsonl",
        (
            '{"epoch": 1, "train": {"loss": 2}, "val": {"loss": 4, "acc": 0.25}, "note": "[red]"}',
            '{"epoch": 2, "train": {"loss": 1}, "val": {"loss": 2, "acc": 0.5}, "ok": true}',
        ),
    ),
    "a header twice": (
        "log.csv",
        ("epoch,loss,val_loss,val_acc", "1,2,4,0.25", "epoch,loss,val_loss,val_acc", "2,1,2,0.5"),
    ),
    "another header": (
        "log.csv",
        ("epoch,loss,val_loss,val_acc", "1,2,4,0.25", "epoch,val_acc,loss,val_loss", "2,0.5,1,2"),
    ),
    "epochs that start again": (
        "log.csv",
        ("epoch,loss,val_loss,val_acc", "1,9,9,0.1", "2,9,9,0.1", "3,9,9,0.1", "1,2,4,0.25", "2,1,2,0.5"),
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_tables_by_epoch(tmp_path: Path, tool: str) -> None:
    name, lines = TOOLS[tool]
    file = written(tmp_path / name, lines)
    history = history_at(file)
    assert points(history, "validation loss") == [(1, 4), (2, 2)]
    assert points(history, "validation accuracy") == [(1, 0.25), (2, 0.5)]
    assert points(history, "train loss by step") == [(1, 2), (2, 1)]
    assert (history.epoch, history.best_epoch) == (2, 2)
    assert [found.path for found in find_logs(tmp_path)] == [file]


def test_seconds_settings_and_learning_rates_are_no_metrics(tmp_path: Path) -> None:
    written(tmp_path / "args.yaml", ("lr0: 0.01", "model: yolo11n-cls.pt", "batch_size: 16"))
    file = written(tmp_path / "results.csv", ULTRALYTICS)
    history = history_at(file)
    assert history.reported == ["accuracy_top1"]
    assert [epoch.event.seconds for epoch in history.epochs][1:] == [3, 6]
    assert history.last_step is not None
    assert history.last_step.lr == 0.01
    assert history.started is not None
    assert history.started.config["model"] == {"name": "yolo11n-cls.pt"}
    assert history.started.config["script"] == {"name": "Ultralytics", "log": str(file)}


LIGHTNING = (
    "epoch,step,train_acc,train_loss_epoch,train_loss_step,val_acc,val_loss",
    "0,4,,,3,,",
    "0,9,,,,0.25,4",
    "0,9,0.1,2,,,",
    "1,14,,,1.5,,",
    "1,19,,,,0.5,2",
    "1,19,0.2,1,,,",
    "2,20,,,,0.75,1.5",
)


def test_lightning_names_the_epoch_of_its_rows(tmp_path: Path) -> None:
    """Means of training come in the row after validation; they belong to the same epoch."""
    file = written(tmp_path / "metrics.csv", LIGHTNING[:-1])
    history = history_at(file)
    assert points(history, "validation loss") == [(1, 4), (2, 2)]
    assert [epoch.event.train for epoch in history.epochs] == [
        {"loss": 2, "accuracy": 0.1},
        {"loss": 1, "accuracy": 0.2},
    ]


def test_an_epoch_is_shown_once_it_is_validated(tmp_path: Path) -> None:
    file = written(tmp_path / "metrics.csv", LIGHTNING[:3])
    log = find_log(file)
    events = read_all(log)
    assert history_of(events).epoch == 1
    written(file, LIGHTNING[:6])
    assert history_of(events + read_all(log)).epoch == 2


def test_validation_within_epochs_counts_validations(tmp_path: Path) -> None:
    file = written(
        tmp_path / "metrics.csv",
        ("epoch,step,val_loss", *(f"{step // 20},{step},{1 / step}" for step in (10, 20, 30, 40))),
    )
    history = history_at(file)
    assert [x for x, _ in points(history, "validation loss")] == [1, 2, 3, 4]


def test_epochs_that_are_validated_now_and_then_keep_their_numbers(tmp_path: Path) -> None:
    file = written(
        tmp_path / "log.csv",
        ("epoch,loss,val_loss", *(f"{epoch},1,{'2' if epoch % 3 == 0 else ''}" for epoch in range(1, 8))),
    )
    history = history_at(file)
    assert [epoch.event.epoch for epoch in history.epochs] == [1, 2, 3, 4, 5, 6, 7]
    assert points(history, "validation loss") == [(3, 2), (6, 2)]


def test_fractions_of_epochs_number_none(tmp_path: Path) -> None:
    file = written(
        tmp_path / "log.jsonl",
        (
            '{"epoch": 1, "step": 10, "val_loss": 4}',
            '{"epoch": 1.5, "step": 15, "val_loss": 3}',
            '{"epoch": 2, "step": 20, "val_loss": 2}',
        ),
    )
    history = history_at(file)
    assert [value for _, value in points(history, "validation loss")] == [4, 3, 2]


def test_longer_rows_are_reported_once_and_inf_diverges(tmp_path: Path) -> None:
    file = written(tmp_path / "log.csv", ("step,loss", "1,0.5", "2,inf,7", "3,0.25,8", "x,,", "-4,1"))
    events = read_all(find_log(file))
    history = history_of(events)
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "log.csv has rows of 3 cells under a header of 2: those without a name are left out"
    ]
    assert history.diverged_at == 2
    assert history.step == 3


def test_a_file_written_anew_is_read_anew(tmp_path: Path) -> None:
    file = written(tmp_path / "log.csv", ("step,loss", "1,0.5", "2,0.4"))
    log = find_log(file)
    events = read_all(log)
    written(file, ("step,loss", "1,9.5", "2,9.25", "3,9.125"))
    events += read_all(log)
    assert [value for _, value in points(history_of(events), "train loss by step")] == [9.5, 9.25, 9.125]


def test_a_line_without_its_end_waits_until_the_file_is_old(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("step,loss\n1,0.5\n2,0.2")
    log = find_log(file)
    events = read_all(log)
    assert len(points(history_of(events), "train loss by step")) == 1
    os.utime(file, (1000, 1000))
    assert len(points(history_of(events + read_all(log)), "train loss by step")) == 2


def test_trainer_state_of_the_latest_checkpoint(tmp_path: Path) -> None:
    entries = [
        '{"epoch": 0.5, "grad_norm": 2.0, "learning_rate": 0.1, "loss": 2, "step": 5}',
        '{"epoch": 1.0, "eval_accuracy": 0.25, "eval_loss": 4, "eval_runtime": 0.1, "step": 10}',
        '{"epoch": 1.5, "learning_rate": 0.05, "loss": NaN, "step": 15}',
        '{"epoch": 2.0, "eval_accuracy": 0.5, "eval_loss": 2, "eval_runtime": 0.1, "step": 20}',
        '{"epoch": 2.0, "train_loss": 1.5, "train_runtime": 2.0, "step": 20}',
    ]

    def state(step: int, count: int) -> list[str]:
        history = ", ".join(entries[:count])
        return [
            f'{{"global_step": {step}, "max_steps": 20, "train_batch_size": 8, "log_history": [{history}]}}'
        ]

    written(tmp_path / "out" / "checkpoint-10" / "trainer_state.json", state(10, 2))
    log = find_log(tmp_path)
    events = read_all(log)
    assert points(history_of(events), "validation loss") == [(1, 4)]
    written(tmp_path / "out" / "checkpoint-20" / "trainer_state.json", state(20, 5))
    os.utime(tmp_path / "out" / "checkpoint-10" / "trainer_state.json", (1000, 1000))
    history = history_of(events + read_all(log))
    assert points(history, "validation loss") == [(1, 4), (2, 2)]
    assert history.finished is not None
    assert history.finished.status == "completed"
    assert [found.path for found in find_logs(tmp_path)] == [tmp_path / "out"]
    assert history.reported == ["accuracy", "grad_norm"]


def test_our_own_logs_are_not_those_of_another_tool(tmp_path: Path) -> None:
    written(
        tmp_path / "a" / "events.jsonl",
        ('{"v": 1, "event": "step_logged", "step": 1, "train": {"loss": 1}}',),
    )
    written(tmp_path / "b.jsonl", ('{"v": 1, "event": "step_logged", "step": 1, "train": {"loss": 1}}',))
    assert [*find_logs(tmp_path)] == []


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        (("1,0.9,", "2,0.5,0.9", "3,0.2,", "4,0.1,0.8", "5,0.05,"), 4),
        (("1,0.9,1.2", "2,0.5,", "3,0.2,0.7", "4,0.1,0.8", "5,0.05,"), 3),
        (("1,0.9,", "2,0.5,", "3,0.2,", "4,0.3,"), 3),
        (("1,0.9,1.2", "2,0.5,0.7", "3,0.2,0.8"), 2),
    ],
)
def test_epochs_without_validation_do_not_compete_with_those_that_have_it(
    tmp_path: Path, lines: tuple[str, ...], best: int
) -> None:
    log = find_log(written(tmp_path / "log.csv", ("epoch,train_loss,val_loss", *lines)))
    ends = [event for event in read_all(log) if isinstance(event, EpochFinished)]
    assert ends[-1].best_epoch == best
