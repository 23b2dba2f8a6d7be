"""Idioms of scripts that were written for other trackers, and what is made of them."""

import argparse
import dataclasses
import math
import subprocess
import sys
import weakref
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
import torch
from PIL import Image as Pillow

from core import Image, RunWriter
from core.errors import DataError, InputError, RunError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    MediaLogged,
    Notice,
    RunFinished,
    RunStarted,
    StepLogged,
)
from core.interop import wandb_shape
from core.interop.script_settings import settings_of
from core.runs.folder import find_run
from core.runs.history.history import History
from core.runs.labels import read_labels
from core.runs.log import LogReader, all_events
from core.runs.summary import summarise
from tests.support.foreign_logs import points
from tests.support.repository import REPOSITORY


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_RUNS", str(tmp_path / "runs"))
    for name in ("RANK", "WORLD_SIZE", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["train_it.py"])
    return tmp_path / "runs"


def told(run: RunWriter, kind: type[Event]) -> list[Any]:
    return [event for event in all_events(run.run.log_file) if isinstance(event, kind)]


def test_several_calls_for_a_step_are_one_step(runs: Path) -> None:
    with RunWriter("per-scalar", epochs=2) as run:
        step = 0
        for _ in range(2):
            for _ in range(100):
                step += 1
                run.log({"loss": 1.0}, step=step)
                run.log({"accuracy": 0.5}, step=step)
                run.log({"grad_norm": 2.0}, step=step)
            run.epoch()
    assert run.step == 200
    assert [(epoch.step, epoch.train) for epoch in told(run, EpochFinished)] == [
        (100, {"loss": 1.0, "accuracy": 0.5, "grad_norm": 2.0}),
        (200, {"loss": 1.0, "accuracy": 0.5, "grad_norm": 2.0}),
    ]
    assert not [notice for notice in told(run, Notice) if "step" in notice.message]


def test_names_carry_their_split(runs: Path) -> None:
    with RunWriter("names", epochs=3) as run:
        for epoch in range(3):
            for _ in range(5):
                run.log({"train/loss": 2.0 / (epoch + 1), "lr": 0.1 / (epoch + 1), "mfu": 3, "Loss_D": 1})
            run.log({"val/loss": 2.2 / (epoch + 1), "val/mIoU": epoch / 3, "val_acc": 0.5, "epoch": epoch})
            run.epoch()
    last = told(run, EpochFinished)[-1]
    assert last.train == pytest.approx({"loss": 2 / 3, "mfu": 3.0, "Loss_D": 1.0})
    assert last.validation == pytest.approx({"loss": 2.2 / 3, "mIoU": 2 / 3, "accuracy": 0.5})
    assert (last.epoch, last.step, last.lr) == (3, 15, pytest.approx(0.1 / 3))
    assert last.best_epoch == 3


def test_without_epochs_each_validation_ends_one(runs: Path) -> None:
    with RunWriter("steps") as run:
        for step in range(1, 31):
            run.log({"train_loss": 1 / step}, step=step)
            if step % 10 == 0:
                run.log({"val_loss": 2 / step}, step=step)
                run.log({"val_f1": step / 100}, step=step)
        run.log({"test_loss": 0.5})
    epochs = told(run, EpochFinished)
    assert [(epoch.epoch, epoch.step, epoch.validation) for epoch in epochs] == [
        (number, 10 * number, {"loss": pytest.approx(0.2 / number), "f1": number / 10})
        for number in (1, 2, 3)
    ]
    assert epochs[0].train["loss"] == pytest.approx(sum(1 / step for step in range(1, 11)) / 10)
    assert [event.metrics for event in told(run, EvaluationFinished)] == [{"loss": 0.5}]
    assert ["each validation ends an epoch" in notice.message for notice in told(run, Notice)] == [True]


def test_epoch_takes_back_the_epochs_that_validation_had_ended(runs: Path) -> None:
    with RunWriter("both", epochs=3) as run:
        for epoch in range(3):
            for step in range(4):
                run.log({"train/loss": float(step), "val/mIoU": 0.5})
                run.log({"Loss_D": 1.0})
            run.epoch(validation={"dice": epoch / 10})
    events, history = LogReader(run.run.log_file).read(), History()
    for event in events:
        history.apply(event)
    assert [each.event.epoch for each in history.epochs] == [1, 2, 3]
    assert [each.event.train["loss"] for each in history.epochs] == [1.5, 1.5, 1.5]
    assert points(history, "validation dice") == [(1, 0), (2, 0.1), (3, 0.2)]
    assert points(history, "validation mIoU") == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert history.curve("train loss by step").points()[0].max() <= 3
    of_steps = [event for event in events if isinstance(event, StepLogged) and "loss" in event.train]
    assert len(history.curve("train loss by step")) == len(of_steps)
    assert (run.epochs_done, run.step, summarise(run.run).epoch, history.steps_per_epoch) == (3, 24, 3, 8)
    said = [notice.message for notice in told(run, Notice) if notice.message.startswith("epoch()")]
    assert said == ["epoch() ends the epochs: the 4 validations before it ended none"]
    assert not [each for each in history.messages if "resumed" in getattr(each, "message", "")]


@pytest.mark.parametrize("call", ["log", "epoch"])
def test_a_script_may_log_only_steps_or_only_epochs(runs: Path, call: str) -> None:
    with RunWriter("plain") as run:
        for number in (1, 2, 3):
            if call == "log":
                run.log(loss=1 / number)
            else:
                run.epoch(train={"loss": 1 / number}, validation={"loss": 2 / number})
    ends = [(epoch.epoch, epoch.step, epoch.best_epoch) for epoch in told(run, EpochFinished)]
    assert ends == ([] if call == "log" else [(1, 1, 1), (2, 2, 2), (3, 3, 3)])
    assert summarise(run.run).status == "completed"


def test_numbers_of_any_kind(runs: Path) -> None:
    arrays = {"scalar": np.array(4.0), "of one": np.array([5.0]), "tensor": torch.tensor([True])}
    others = {"decimal": Decimal("7.5"), "fraction": Fraction(1, 2), "half": torch.tensor(1.5).bfloat16()}
    with RunWriter("kinds") as run:
        run.log({"numpy": np.float32(1.5), "count": np.int64(3), "flag": np.bool_(True), **arrays, **others})
        run.epoch()
    expected = {"numpy": 1.5, "count": 3, "flag": 1, "scalar": 4, "of_one": 5, "tensor": 1}
    assert told(run, EpochFinished)[0].train == expected | {"decimal": 7.5, "fraction": 0.5, "half": 1.5}


def test_losses_do_not_keep_their_graph(runs: Path) -> None:
    weight = torch.ones(3, requires_grad=True)
    with RunWriter("graph") as run:
        inner = weight * 2
        alive = weakref.ref(inner)
        run.log(loss=inner.sum())
        del inner
        assert alive() is None


def test_a_rate_counts_the_steps_between_two_calls(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr("core.interop.script_progress.time.monotonic", lambda: float(next(seconds)))
    with RunWriter("every", config={"batch_size": 64}) as run:
        for step in (50, 100, 150):
            run.log(step=step, loss=1.0)
    steps = told(run, StepLogged)
    assert [event.step for event in steps] == [50, 100, 150]
    assert len({event.samples_per_second for event in steps[1:]}) == 1
    assert steps[1].samples_per_second > 0


def test_a_score_that_is_not_a_number_is_no_divergence(runs: Path) -> None:
    with RunWriter("auc") as run:
        run.log(loss=1.0, auc=float("nan"), grad_norm=float("inf"))
        run.epoch(validation={"loss": 1.0, "auc": float("nan")})
    assert summarise(run.run).status == "completed"


def test_names_of_any_number_and_length(runs: Path) -> None:
    values = {f"group{number % 10}/metric {number}": number for number in range(500)} | {"x" * 300: 1}
    with RunWriter("names") as run:
        run.log(values)
        run.epoch(validation={f"val{number}": number for number in range(500)})
    (epoch,) = told(run, EpochFinished)
    assert (len(epoch.train), len(epoch.validation)) == (501, 500)


def test_without_validation_test_is_it(runs: Path) -> None:
    with RunWriter("test only") as run:
        for epoch in range(2):
            run.log({"Loss/train": 1.0, "Loss/test": 2.0 - epoch, "Accuracy/test": 0.5})
    assert [epoch.validation for epoch in told(run, EpochFinished)] == [
        {"loss": 2.0 - epoch, "accuracy": 0.5} for epoch in range(2)
    ]


@pytest.mark.parametrize("name", ["train_loss", "Loss/train", "loss"])
def test_a_loss_that_is_not_a_number_is_one_by_any_name(runs: Path, name: str) -> None:
    with RunWriter("diverges") as run:
        run.log({name: float("nan")})
    assert summarise(run.run).status == "diverged"


@pytest.mark.parametrize(
    ("scores", "metric", "said"),
    [([0.1, 0.9, 0.6], "roc_auc", "as two classes"), ([-3.0, 2.0, 1.0], "mae", "as numbers")],
)
def test_one_score_a_sample_beside_zeros_and_ones(
    runs: Path, scores: list[float], metric: str, said: str
) -> None:
    with RunWriter("one column") as run:
        assert metric in run.predictions("test", scores, [0, 1, 1])
    assert [said in notice.message for notice in told(run, Notice)] == [True]


def test_names_of_one_call_never_share_a_place(runs: Path) -> None:
    with RunWriter("both") as run:
        run.log({"loss": 1.0, "train/loss": 3.0, "loss/total": 5.0})
        run.epoch()
    assert told(run, EpochFinished)[0].train == {"loss": 1.0, "train/loss": 3.0, "loss/total": 5.0}


class Unreadable(torch.Tensor):
    """Like a tensor on a device that has failed."""

    def __float__(self) -> float:
        raise RuntimeError("CUDA error: device-side assert triggered")

    def clone(self, *args: Any, **kwargs: Any) -> "Unreadable":
        return self

    detach = clone

    def __add__(self, other: object) -> "Unreadable":
        return self

    __radd__ = __add__


def test_a_value_that_cannot_be_read_never_hides_the_error(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.interop.script_progress.LOG_SECONDS", math.inf)
    run = RunWriter("poisoned")

    def script() -> None:
        with run:
            run.log(loss=torch.ones(1).as_subclass(Unreadable))
            raise ValueError("what really happened")

    with pytest.raises(ValueError, match="what really happened"):
        script()
    (last,) = told(run, RunFinished)
    assert (last.status, last.error) == ("failed", "ValueError: what really happened")
    assert "the last values cannot be read: CUDA error" in told(run, Notice)[-1].message


@dataclasses.dataclass
class Settings:
    lr: float = 0.1
    path: Path = Path("/x")


class Model(pydantic.BaseModel):
    lr: float = 0.1


@pytest.mark.parametrize("config", [argparse.Namespace(lr=0.1), Settings(), Model(), {"lr": 0.1}])
def test_settings_in_any_form(runs: Path, config: Any) -> None:
    with RunWriter("settings", config) as run:
        pass
    (started,) = told(run, RunStarted)
    assert started.config["optimizer"] == {"lr": 0.1}


@pytest.mark.parametrize("config", [[("a", 1)], "text", 5, Settings, print])
def test_what_has_no_names_is_no_settings(config: Any) -> None:
    with pytest.raises(DataError, match="config: got"):
        settings_of(config)


def test_of_several_processes_the_first_writes(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with RunWriter("many", classes=("a", "b")) as run:
        run.log(loss=torch.tensor(1.0), step=3)
        run.epoch(validation={"loss": 1.0})
        run.checkpoint({"weight": torch.ones(1)})
        run.text("told", "nobody")
        assert run.predictions("test", [[0.9, 0.1], [0.2, 0.8]], [0, 1])["accuracy"] == 1.0
        assert (run.step, run.epochs_done, run.stop_requested, run.writes) == (3, 1, False, False)
        with pytest.raises(RunError, match="writes no run"):
            _ = run.run
    assert not runs.exists()
    monkeypatch.setenv("RANK", "0")
    with RunWriter("many") as run:
        assert run.writes


def test_a_run_is_resumed_after_its_last_checkpoint(runs: Path) -> None:
    def train(run: RunWriter, until: int) -> None:
        for epoch in range(run.epochs_done, until):
            for _ in range(10):
                run.log(loss=1 / (epoch + 1))
            run.epoch(validation={"loss": [0.5, 0.3, 0.4, 0.2][epoch]})

    with RunWriter("again", {"lr": 0.1}, epochs=4, resume=True) as run:
        train(run, 2)
        run.checkpoint({"weight": torch.tensor([2.0])})
        train(run, 3)
    with RunWriter("again", {"lr": 0.05}, epochs=4, resume=True) as again:
        assert again.run.id == run.run.id
        assert (again.epochs_done, again.step) == (2, 20)
        state = again.load_checkpoint()
        assert state is not None
        assert state["weight"].item() == 2.0
        train(again, 4)
    history = History()
    for event in all_events(run.run.log_file):
        history.apply(event)
    assert [epoch.event.epoch for epoch in history.epochs] == [1, 2, 3, 4]
    assert [epoch.event.best_epoch for epoch in history.epochs] == [1, 2, 2, 4]
    assert (history.step, summarise(run.run).status) == (40, "completed")
    assert any(
        "resumed with other settings: optimizer.lr 0.1 -> 0.05" in note.message for note in told(run, Notice)
    )
    with RunWriter("other", resume=True) as other:
        assert other.epochs_done == 0
        assert other.load_checkpoint() is None
    with RunWriter("named", resume=run.run.id) as named:
        assert named.step == 20
    with pytest.raises(RunError, match="no run"):
        RunWriter("named", resume="nothing-like-it")


@pytest.mark.parametrize("what", [{"args": {"a": Path("/a")}}, {"f": len}, {"array": np.ones(2)}])
def test_what_a_checkpoint_could_not_be_read_with_is_refused(runs: Path, what: dict[str, Any]) -> None:
    with RunWriter("odd") as run, pytest.raises(DataError, match="Give tensors, numbers and text"):
        run.checkpoint(what)


def test_a_module_is_saved_by_its_state(runs: Path) -> None:
    with RunWriter("module") as run:
        run.epoch(validation={"loss": 1.0})
        run.checkpoint(torch.nn.Linear(1, 1))
        assert set(run.load_checkpoint("best") or {}) == {"weight", "bias"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "status"),
    [("", "completed"), ("raise ValueError('wrong')", "failed"), ("run.log(loss=float('nan'))", "diverged")],
)
def test_a_script_that_ends_without_closing_ends_its_run(runs: Path, end: str, status: str) -> None:
    code = f"from core import RunWriter\nrun = RunWriter('open')\nrun.log(loss=1.0)\n{end}"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=False)
    assert summarise(find_run(runs, "latest")).status == status


@pytest.mark.slow
def test_a_script_for_another_tracker_changes_one_line(runs: Path) -> None:
    import torchtui as wandb

    wandb.init(
        project="p", name="first try", config={"lr": 0.1}, tags=["two words"], notes="why", entity="me"
    )
    wandb.watch(torch.nn.Linear(1, 1), log="all")
    wandb.config.update({"batch_size": 8}, allow_val_change=True)
    wandb.config.dropout = 0.5
    assert (wandb.config.lr, wandb.config["dropout"], wandb.run.name) == (0.1, 0.5, "first try")
    for step in range(4):
        wandb.log({"train": {"loss": 1.0}, "picture": object()}, commit=False)
        wandb.log({"val/loss": 1 / (step + 1)})
    wandb.summary["best"] = 0.25
    run = wandb.run.writer
    wandb.finish()
    assert wandb.run is None
    assert [epoch.validation["loss"] for epoch in told(run, EpochFinished)] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert run.step == 4
    messages = " ".join(notice.message for notice in told(run, Notice))
    assert messages.count("picture is not a number") == 1
    assert "no meaning here: entity" in messages
    assert "summary: best 0.25" in messages
    labels = read_labels(run.run.path)
    assert (labels.name, labels.tags, labels.note) == ("first try", ("two-words",), "why")
    assert "dropout: 0.5" in run.run.config_file.read_text()
    with pytest.raises(RunError, match="Call init"):
        wandb_shape.log({"loss": 1.0})
    with pytest.raises(AttributeError, match="there is RunWriter, Image, Text, Histogram, init, log"):
        _ = wandb.Artifact


def test_what_a_script_logs_to_be_looked_at(runs: Path) -> None:
    with RunWriter("looks") as run:
        run.log(loss=1.0, step=3)
        run.image("samples", np.zeros((5, 7)), caption="first")
        run.image("samples", Image(np.zeros((5, 7)), "second"), step=9)
        run.text("told", ["a", "b"])
        run.histogram("weights", torch.ones(5), bins=4)
        with pytest.raises(DataError, match="samples: a picture of the shape a single value"):
            run.image("samples", None)
        with pytest.raises(DataError, match="step: got -1"):
            run.text("told", "x", step=-1)
    logged = told(run, MediaLogged)
    assert [(event.kind, event.name, event.step, event.done) for event in logged] == [
        ("image", "samples", 3, 3),
        ("image", "samples", 9, 3),
        ("text", "told", 3, 3),
        ("histogram", "weights", 3, 3),
    ]
    assert [event.caption for event in logged[:2]] == ["first", "second"]


def test_a_script_that_is_to_keep_none(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MEDIA", "0")
    with RunWriter("looks") as run:
        run.text("told", "x")
    assert not told(run, MediaLogged)
    assert not told(run, Notice)


def test_a_script_for_another_tracker_logs_what_it_did(runs: Path) -> None:
    import torchtui as wandb

    with wandb.init(project="p") as kept:
        picture = wandb.Image(np.zeros((5, 7)), caption="so", boxes={"a": 1})
        wandb.log({"loss": 1.0, "some": {"img": picture}, "h": wandb.Histogram(np_histogram=([1], [0, 1]))})
        wandb.log(
            {"some": {"img": [picture, picture]}, "pil": Pillow.new("L", (3, 3)), "bad": wandb.Image(None)}
        )
        run = kept.writer
    assert [event.name for event in told(run, MediaLogged)] == [
        "some/img",
        "h",
        "some/img",
        "some/img",
        "pil",
    ]
    messages = [notice.message for notice in told(run, Notice)]
    assert "some/img: of Image these have no meaning here: boxes" in messages
    assert any(text.startswith("bad is left out: a picture of") for text in messages)
    assert run.step == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "end",
    ["", "wandb.finish()", "raise ValueError('wrong')", "with wandb.run:\n    raise ValueError('wrong')"],
)
def test_a_summary_is_kept_however_the_script_ends(runs: Path, end: str) -> None:
    code = f"import torchtui as wandb\nwandb.init(name='open')\nwandb.summary['best'] = 0.25\n{end}"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=False)
    events = LogReader(find_run(runs, "latest").log_file).read()
    assert [event.message for event in events if isinstance(event, Notice)] == ["summary: best 0.25"]
    assert isinstance(events[-1], RunFinished)
    assert events[-1].status == ("failed" if "raise" in end else "completed")


def test_a_script_for_another_tracker_reads_how_far_it_is(runs: Path) -> None:
    run = wandb_shape.init(name="far")
    assert (run.step, run.resumed) == (0, False)
    run.log({"train/loss": 1.0, "val/loss": 1.0})
    run.log({"train/loss": 1.0})
    assert run.step == 2
    again = wandb_shape.init(name="far", resume="allow")
    assert (again.id, again.step, again.resumed) == (run.id, 2, True)
    again.finish()


def test_a_setting_that_is_wrong_leaves_no_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_ALERT", "loss >> 1")
    with pytest.raises(InputError, match="TUI_ALERT: 'loss >> 1' is not a rule"):
        RunWriter("wrong")
    assert not runs.exists()


def test_logging_that_is_turned_off_keeps_nothing(runs: Path) -> None:
    run = wandb_shape.init(project="p", mode="disabled", config={"lr": 1})
    run.log({"loss": 1.0})
    run.finish()
    assert run.config.lr == 1
    assert not runs.exists()
    with pytest.raises(RunError, match="no earlier run"):
        wandb_shape.init(project="p", resume="must")


def test_steps_of_any_number_of_values_are_logged(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.interop.running_means.MAX_ROWS", 7)
    with RunWriter("wide") as run:
        for step in range(20):
            run.log({f"m{number}": step for number in range(100)}, n=1 + step % 2)
        run.epoch()
    mean = sum(step * (1 + step % 2) for step in range(20)) / sum(1 + step % 2 for step in range(20))
    (epoch,) = told(run, EpochFinished)
    assert epoch.train == pytest.approx({f"m{number}": mean for number in range(100)})
    assert all(len(event.train) == 100 for event in told(run, StepLogged))
