"""Somebody's own script becomes a run, whichever way it ends."""

import contextlib
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core import RunWriter
from core.config.yaml_files import read_yaml
from core.errors import DataError, RunError, RunLocked
from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunPaused,
    RunStarted,
    StepLogged,
)
from core.files.atomic import archive_damage
from core.files.console import ConsoleReader
from core.inference.stored import saved_evaluation
from core.interop.script_run import ScriptRun
from core.runs.history.history import History
from core.runs.lock import hold, is_held
from core.runs.log import LogReader, all_events
from core.runs.problems import problems
from core.runs.query.language import parse
from core.runs.requests import send
from core.runs.script import script_sections
from core.runs.summary import summarise
from core.session.evaluation import evaluate_run
from tests.support.killed import in_a_killed_process
from tests.support.repository import REPOSITORY


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(sys, "argv", ["somewhere/train_it.py"])
    return tmp_path / "runs"


def told(writer: RunWriter, kind: type[Event]) -> list[Any]:
    return [event for event in all_events(writer.run.log_file) if isinstance(event, kind)]


def train(writer: RunWriter, epochs: int, loss: float = 1.0) -> None:
    for _ in range(epochs):
        loss /= 2
        for _ in range(10):
            writer.log(loss=loss, accuracy=1 - loss)
        writer.epoch(validation={"loss": 2 * loss, "accuracy": 0.5})


def test_two_lines_make_a_run(runs: Path) -> None:
    with RunWriter("my run", config={"lr": 0.1, "dataset": "moons"}, epochs=3) as writer:
        assert is_held(writer.run)
        assert summarise(writer.run).status == "running"
        train(writer, 3)
    summary = summarise(writer.run)
    assert (summary.status, summary.epoch, summary.epochs, summary.best_epoch) == ("completed", 3, 3, 3)
    assert summary.metrics == {"loss": 0.25, "accuracy": 0.5}
    assert (summary.data, summary.script) == ("moons", "train_it.py")
    assert writer.run.id.split("_")[2] == "my-run"
    assert problems(writer.run) == []
    assert parse("cfg.optimizer.lr=0.1 loss<0.3").matches(summary)


def test_an_epoch_has_the_means_of_its_steps(runs: Path) -> None:
    with RunWriter("means") as writer:
        for loss in (1.0, 2.0, 6.0):
            writer.log({"loss": loss, "wall time": 1})
        writer.epoch()
        writer.log(loss=7.0)
        writer.epoch(train={"loss": 5.0})
    first, second = told(writer, EpochFinished)
    assert first.train == {"loss": 3.0, "wall_time": 1.0}
    assert (first.step, second.step, second.train) == (3, 4, {"loss": 5.0})


def test_means_of_batches_are_weighted_by_their_samples(runs: Path) -> None:
    with RunWriter("weighted") as writer:
        for accuracy, n in ((0.7, 256), (0.8, 256), (0.9, 10)):
            writer.log(accuracy=accuracy, n=n)
        writer.epoch()
        with pytest.raises(DataError, match="n: got 0"):
            writer.log(accuracy=1.0, n=0)
    (epoch,) = told(writer, EpochFinished)
    assert epoch.train["accuracy"] == pytest.approx(0.7529, abs=5e-5)


@pytest.mark.slow
def test_probabilities_of_the_second_class_are_those_of_two(runs: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    second = rng.random(200)
    targets = (rng.random(200) < second).astype(int)
    both = np.stack([1 - second, second], axis=1)
    with RunWriter("binary", task="binary", classes=("no", "yes")) as writer:
        expected = writer.predictions("test", both, targets)
        for given in (second, second[:, None], second.tolist()):
            assert writer.predictions("test", given, targets) == pytest.approx(expected)
        margins = writer.predictions("test", np.log(second / (1 - second)), targets)
        assert margins["roc_auc"] == pytest.approx(expected["roc_auc"])
        assert margins["log_loss"] is None
    with (
        RunWriter("many", task="multiclass", classes=("a", "b", "c")) as writer,
        pytest.raises(DataError, match="do not fit a multiclass task"),
    ):
        writer.predictions("test", second, targets)
    with (
        RunWriter("named", classes=("a", "b", "c")) as writer,
        pytest.raises(DataError, match="do not fit 3 class names"),
    ):
        writer.predictions("test", second, targets)


def test_probabilities_of_any_precision_have_a_log_loss(runs: Path) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(200, 5, generator=generator).softmax(1)
    targets = torch.randint(0, 5, (200,), generator=generator)
    with RunWriter("precisions", task="multiclass") as writer:
        expected = writer.predictions("test", scores, targets)["log_loss"]
        for given in (scores.tolist(), scores.double(), scores.half(), scores.bfloat16()):
            assert writer.predictions("test", given, targets)["log_loss"] == pytest.approx(expected, rel=0.01)


def test_tensors_are_taken_without_being_read_at_once(runs: Path) -> None:
    import torch

    with RunWriter("tensors") as writer:
        for value in (1.0, 3.0):
            writer.log(loss=torch.tensor(value, requires_grad=True))
        writer.epoch(validation={"loss": torch.tensor(4.0)})
    assert told(writer, EpochFinished)[0].train == {"loss": 2.0}


def test_steps_never_go_back(runs: Path) -> None:
    with RunWriter("steps") as writer:
        for _ in range(2):
            for step in range(1, 4):
                writer.log(step=step, loss=1.0)
            writer.epoch()
    assert [event.step for event in told(writer, EpochFinished)] == [3, 6]
    assert ["step 1 came after step 3" in notice.message for notice in told(writer, Notice)] == [True]


def test_curves_find_their_epochs_when_nobody_said_how_many_steps_they_have(runs: Path) -> None:
    with RunWriter("unknown") as writer:
        train(writer, 2)
    history, early = History(), History()
    events = LogReader(writer.run.log_file).read()
    for event in events:
        history.apply(event)
    assert history.curve("train loss by step").points()[0][-1] == 2.0
    assert history.curve("validation loss").points()[0].tolist() == [1.0, 2.0]
    assert (history.total_steps, history.steps_per_epoch, history.score) == (0, 10, "accuracy")
    for event in (events[0], StepLogged(epoch=1, step=7, train={"f1": 1.0}, lr=0.0, samples_per_second=0.0)):
        early.apply(event)
    assert early.curve("train f1 by step").points()[0].tolist() == [7.0]
    assert early.score == "f1"


def test_an_exception_ends_it_as_failed_with_the_reason(runs: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunWriter("fails") as writer:
        writer.log(loss=1 / 0)
    last = told(writer, RunFinished)[-1]
    assert (last.status, last.error) == ("failed", "ZeroDivisionError: division by zero")
    assert "test_writer.py" in last.traceback
    assert not is_held(writer.run)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(0)])
def test_who_leaves_stops_it(runs: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), RunWriter("stops") as writer:
        raise error
    assert summarise(writer.run).status == "stopped"


def test_nan_is_a_mark_and_an_ending(runs: Path) -> None:
    with RunWriter("diverges", epochs=2) as writer:
        train(writer, 1)
        writer.log(loss=math.nan)
    history = History()
    for event in all_events(writer.run.log_file):
        history.apply(event)
    assert history.diverged_at is not None
    assert summarise(writer.run).status == "diverged"
    assert summarise(writer.run).error == "the loss became NaN or infinite in epoch 2, step 11"


@pytest.mark.parametrize(
    "end",
    [{}, {"validation": {"accuracy": 0.1}}, {"train": {"accuracy": 0.1}}, {"train": {"loss": math.nan}}],
)
def test_an_epoch_that_tells_no_better_loss_leaves_it_diverged(runs: Path, end: dict[str, Any]) -> None:
    with RunWriter("diverges", epochs=1) as writer:
        writer.log(loss=1.0 if "loss" in end.get("train", {}) else math.nan)
        writer.epoch(**end)
    summary = summarise(writer.run)
    assert (summary.status, summary.error) == (
        "diverged",
        "the loss became NaN or infinite in epoch 1, step 1",
    )


def test_a_loss_that_comes_back_from_nan_completes(runs: Path) -> None:
    with RunWriter("recovers") as writer:
        writer.epoch({"loss": 1.0}, {"loss": math.inf})
        writer.epoch({"loss": 1.0}, {"loss": 1.0})
    assert summarise(writer.run).status == "completed"
    assert summarise(writer.run).best_epoch == 2


@pytest.mark.slow
def test_a_killed_script_leaves_an_interrupted_run(runs: Path) -> None:
    code = (
        "import os, signal, sys\nfrom core import RunWriter\n"
        "assert not {'torch', 'sklearn', 'textual'} & set(sys.modules)\n"
        "run = RunWriter('killed', epochs=9)\nrun.epoch({'loss': 1.0})\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert answer.returncode == -9, answer.stderr
    from core.runs.folder import find_run

    summary = summarise(find_run(runs, "latest"))
    assert (summary.status, summary.epoch) == ("interrupted", 1)
    assert "again" in summary.error
    assert "--resume" not in summary.error


def test_others_can_ask_it_to_stop(runs: Path) -> None:
    with RunWriter("asked") as writer:
        send(writer.run, "stop")
        assert isinstance(writer._kept, ScriptRun)
        writer._kept._held.pop_all().close()  # the thread that reads requests has read them when it has ended
        writer.control.stop()
        assert writer.stop_requested
    assert summarise(writer.run).status == "stopped"


def test_it_waits_while_somebody_wants_a_pause(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunWriter("pauses") as writer:
        writer.control.pause()
        monkeypatch.setattr("core.control.time.sleep", lambda seconds: writer.control.resume())
        writer.log(loss=1.0)
    assert len(told(writer, RunPaused)) == 1


def test_only_one_process_writes_it(runs: Path) -> None:
    with RunWriter("one") as writer, pytest.raises(RunLocked), hold(writer.run):
        pass


def test_several_threads_may_write_it(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call is counted once, each line is whole, and one of several ends counts."""
    monkeypatch.setattr("core.interop.script_progress.LOG_SECONDS", 0.0)
    often, threads, calls = sys.getswitchinterval(), 4, 200

    def write(writer: RunWriter) -> None:
        for _ in range(calls):
            writer.log(loss=1.0)
        writer.epoch(validation={"loss": 0.5})
        writer.notice("done")

    with RunWriter("threads") as writer:
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(threads) as pool:
                for future in [pool.submit(write, writer) for _ in range(threads)]:
                    future.result()
                for future in [pool.submit(writer.close) for _ in range(threads)]:
                    future.result()
        finally:
            sys.setswitchinterval(often)
    assert writer.step == threads * calls
    steps = [event.step for event in told(writer, StepLogged)]
    assert steps == sorted(set(steps))
    assert [event.epoch for event in told(writer, EpochFinished)] == [1, 2, 3, 4]
    assert [len(told(writer, kind)) for kind in (Notice, RunFinished)] == [threads, 1]
    assert not [problem for problem in problems(writer.run) if "damaged" in problem]


def test_a_fork_neither_writes_nor_ends_it(runs: Path) -> None:
    """Such as a worker that loads data: it leaves the ``with`` block; a thread that held the lock is not there."""
    refused: list[object] = []

    def leave_the_block(writer: RunWriter) -> None:
        writes: list[Callable[[], None]] = [
            lambda: writer.log(loss=9.0),
            writer.epoch,
            lambda: writer.notice("I am here"),
        ]
        for write in writes:
            with pytest.raises(RunError, match="this is a fork of it"):
                write()
            refused.append(write)
        writer.fail(ValueError("of the fork"))
        with contextlib.suppress(ValueError), writer:
            raise ValueError("of the fork")
        assert len(refused) == 3

    with RunWriter("forks") as writer:
        writer.log(loss=1.0)
        held, ended = threading.Event(), threading.Event()

        def hold() -> None:
            with writer._alone():
                held.set()
                ended.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        in_a_killed_process(lambda: leave_the_block(writer))
        ended.set()
        thread.join()
        assert is_held(writer.run)
        assert told(writer, RunFinished) == []
        writer.log(loss=1.0)
    assert [event.status for event in told(writer, RunFinished)] == ["completed"]
    assert writer.step == 2


def test_after_the_end_nothing_is_added(runs: Path) -> None:
    writer = RunWriter("ends")
    writer.close()
    writer.close()
    with pytest.raises(RunError, match="has ended"):
        writer.epoch({"loss": 1.0})


def test_checkpoints_and_predictions_for_evaluation(runs: Path) -> None:
    import torch

    from core.runs.checkpoints import load_checkpoint

    with RunWriter("keeps", classes=["no", "yes"], epochs=2) as writer:
        for loss in (1.0, 2.0):
            writer.epoch({"loss": loss})
            writer.checkpoint({"weight": torch.tensor([loss])})
        scores = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
        assert writer.predictions("test", scores, torch.tensor([0, 1, 1]))["accuracy"] == pytest.approx(2 / 3)
        assert writer.predictions("validation", [[2.0, -1.0], [0.0, 3.0]], [0, 1])["accuracy"] == 1.0
    assert [event.kind for event in told(writer, CheckpointSaved)] == ["last", "best", "last"]
    assert load_checkpoint(writer.run, "best")["model"]["weight"].item() == 1.0
    assert load_checkpoint(writer.run, "last")["model"]["weight"].item() == 2.0
    kept = evaluate_run(writer.run, "test")
    assert kept.report.class_names == ["no", "yes"]
    assert kept.predictions.probabilities
    margins = saved_evaluation(writer.run, "validation")
    assert margins is not None
    assert not margins.predictions.probabilities
    assert [event.split for event in told(writer, EvaluationFinished)] == ["test", "validation"]


def test_its_own_checkpoints_are_not_read_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.runs import checkpoints

    read: list[Path] = []

    def damage(path: Path, **options: Any) -> str:
        read.extend([path] if path.exists() else [])
        return archive_damage(path, **options)

    monkeypatch.setattr(checkpoints, "archive_damage", damage)
    with RunWriter("large") as writer:
        for loss in (3.0, 2.0, 1.0):
            writer.epoch({"loss": loss})
            writer.checkpoint({"weight": torch.tensor([loss])})
    assert len(told(writer, CheckpointSaved)) == 6
    assert read == []


def test_predictions_that_do_not_fit_are_refused(runs: Path) -> None:
    with RunWriter("numbers") as writer:
        assert writer.predictions("test", [1.0, 2.0, 3.0], [1.0, 2.0, 4.0])["mae"] == pytest.approx(1 / 3)
        with pytest.raises(DataError):
            writer.predictions("test", [[0.5, 0.5]], [0, 1])
        with pytest.raises(DataError, match=r"split: got '\.\./x'"):
            writer.predictions("../x", [1.0], [1.0])
        with pytest.raises(DataError, match="class numbers"):
            writer.predictions("test", [[0.5, 0.5]], [0.5])
        with pytest.raises(DataError, match="scores: got list, which is not an array: "):
            writer.predictions("test", [[0.5, 0.5], [1.0]], [0, 1])
        with pytest.raises(DataError, match="targets: got list of type <U1"):
            writer.predictions("test", [0.5, 1.0], ["a", "b"])


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float8_e5m2, torch.float16, torch.float64])
def test_predictions_of_any_precision(runs: Path, precision: torch.dtype) -> None:
    scores = torch.tensor([[0.75, 0.25], [0.25, 0.75], [1.0, 0.0]], requires_grad=True).to(precision)
    with RunWriter("half") as writer:
        assert writer.predictions("test", scores, torch.tensor([0, 1, 1]))["accuracy"] == pytest.approx(2 / 3)


def test_what_needs_data_and_model_says_why_it_cannot(runs: Path) -> None:
    with RunWriter("foreign") as writer:
        writer.epoch({"loss": 1.0})
    with pytest.raises(RunError, match=r"written by train_it\.py"):
        evaluate_run(writer.run, "test")
    with pytest.raises(RunError, match=r"written by train_it\.py"):
        writer.run.config()


def test_any_configuration_finds_its_sections(runs: Path) -> None:
    config: dict[Any, Any] = {
        "model": {"name": "resnet", "depth": 18},
        "optimizer": "adam",
        "learning_rate": 3e-4,
        "batch_size": "auto",
        "path": Path("/data"),
        3: "three",
    }
    assert script_sections(config, "a.py") == {
        "model": {"name": "resnet", "depth": 18},
        "optimizer": {"name": "adam", "lr": 3e-4},
        "training": {"batch_size": "auto"},
        "settings": {"path": "/data", "3": "three"},
        "script": {"name": "a.py"},
    }
    with RunWriter("any", config) as writer:
        pass
    assert told(writer, RunStarted)[0].config["settings"]["path"] == "/data"


@pytest.mark.parametrize("confusion", [[[1, -1], [0, 1]], [[1, 2], [3]], [[1, 2]]])
def test_a_confusion_matrix_that_is_none_is_refused(runs: Path, confusion: list[list[int]]) -> None:
    with RunWriter("matrix") as writer:
        with pytest.raises(DataError, match="confusion"):
            writer.epoch({"loss": 1.0}, confusion=confusion)
        writer.epoch({"loss": 1.0}, confusion=[[1, 2], [3, 4]])
    assert len(told(writer, EpochFinished)) == 1
    with pytest.raises(DataError, match="epochs"):
        RunWriter("negative", epochs=-1)


@pytest.mark.parametrize("value", ["high", None, [1.0, 2.0], torch.ones(3)])
def test_what_is_no_number_is_told_by_its_name(tmp_path: Path, value: Any) -> None:
    with RunWriter("mine", runs_dir=tmp_path) as run, pytest.raises(DataError, match="accuracy: got "):
        run.log(loss=0.5, accuracy=value)


# -- what the script prints --------------------------------------------------------------------------------------


def test_what_a_script_prints_is_kept_and_goes_where_it_went(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = logging.StreamHandler()  # made before, as by logging.basicConfig
    print("before")
    with RunWriter("loud", runs_dir=runs, console=True) as run:
        print("loss", 0.5)
        handler.stream.write("logged\n")
        for done in range(100):
            print(f"\r{done} %", end="", file=sys.stderr)
        in_a_killed_process(lambda: print("in a fork"))
        print("last", end="")
    print("after")
    console = ConsoleReader(run.run.console_file)
    console.read()
    assert console.lines == ["loss 0.5", "logged", "99 %last"]
    out, err = capsys.readouterr()
    assert out.startswith("before\nloss 0.5\n")
    assert out.endswith("lastafter\n")
    assert err.startswith("logged\n\r0 %\r1 %")


def test_two_that_listen_and_one_that_does_not(runs: Path) -> None:
    with RunWriter("quiet", runs_dir=runs) as quiet, RunWriter("outer", runs_dir=runs, console=True) as outer:
        with RunWriter("inner", runs_dir=runs, console=True) as inner:
            print("both")
        print("outer")
    assert not quiet.run.console_file.exists()
    assert inner.run.console_file.read_text() == "both\n"
    assert outer.run.console_file.read_text() == "both\nouter\n"


def test_predictions_of_several_labels(tmp_path: Path) -> None:
    targets = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])
    scores = np.array([[0.9, 0.6], [0.8, 0.7], [0.4, 0.9], [0.1, 0.2]])
    with RunWriter("labels", runs_dir=tmp_path, task="multilabel", classes=["a", "b"]) as run:
        metrics = run.predictions("test", scores, targets)
        assert metrics["subset_accuracy"] == 0.75
        with pytest.raises(DataError, match="others than 0 and 1"):
            run.predictions("test", scores, 2 * targets)
        with pytest.raises(DataError, match="do not fit a multilabel task"):
            run.predictions("test", scores, targets[:, 0])


def test_numbers_of_numpy_stay_numbers_among_settings(tmp_path: Path) -> None:
    config = {"betas": [np.float32(0.5), np.float64(0.25)], "sizes": {"hidden": np.array([1, 2])}}
    with RunWriter("settings", runs_dir=tmp_path, config={**config, "big": np.zeros(2000)}) as run:
        known = read_yaml(run.run.config_file)
    assert known["settings"]["betas"] == [0.5, 0.25]
    assert known["sizes"]["hidden"] == [1, 2]
    assert known["settings"]["big"].startswith("[0.")
