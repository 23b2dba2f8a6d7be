"""Every ending of the table in `core.events`: what is told, what is kept, and how the run then stands."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.control import RunControl
from core.errors import DataError, RunDamaged, RunError, RunLocked
from core.evaluation import Predictions, Report
from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StepLogged,
    from_json,
)
from core.runs.folder import find_run
from core.runs.log import LogReader, all_events
from core.runs.summary import summarise
from tests.support.fixtures import TrainRun

Train = Callable[..., Any]
SMALL = {"data": {"name": "digits", "test": 0.5}, "optimizer": {"name": "sgd", "lr": 0.1}}
ERRATIC = {
    "data": "iris",
    "model": "mlp",
    "optimizer": {"lr": 5.0},
    "training": {"epochs": 500, "patience": 2},
}


def kinds(trained: Any) -> list[str]:
    """Names of the events, without those that come by the clock."""
    return [type(event).__name__ for event in trained.events if not isinstance(event, StepLogged)]


def test_completed(train_run: Train) -> None:
    trained = train_run(SMALL)
    assert kinds(trained)[:4] == ["RunStarted", *["EpochFinished"] * 3]
    assert kinds(trained)[-3:] == ["EvaluationFinished", "EvaluationFinished", "RunFinished"]
    assert {event.kind for event in trained.told(CheckpointSaved)} == {"last", "best"}
    assert [event.split for event in trained.told(EvaluationFinished)] == ["validation", "test"]
    assert trained.finished == trained.events[-1]
    assert (trained.finished.status, trained.finished.error) == ("completed", "")
    assert LogReader(trained.run.log_file).read() == trained.events
    summary = summarise(trained.run)
    assert (summary.status, summary.epoch, summary.epochs) == ("completed", 3, 3)
    assert summary.evaluation["test"] == trained.told(EvaluationFinished)[1].metrics


def test_what_a_completed_run_leaves_in_its_folder(train_run: Train) -> None:
    trained = train_run(SMALL)
    start, last = trained.told(RunStarted)[0], trained.told(EpochFinished)[-1]
    assert trained.run.config().loss.name == "cross_entropy", "auto is made definite"
    assert start.config == trained.run.config().model_dump(mode="json")
    assert start.samples == {"train": 808, "validation": 90, "test": 899}
    assert last.step == 3 * start.steps_per_epoch == 3 * 13
    assert trained.checkpoint("best")["epoch"] == last.best_epoch
    assert trained.checkpoint("best")["value"] == last.best_metrics["loss"]
    for event in trained.told(EvaluationFinished):
        folder = trained.run.evaluation_folder(event.split)
        report, predictions = (
            Report.load(folder / "report.json"),
            Predictions.load(folder / "predictions.npz"),
        )
        assert report.metrics == event.metrics
        assert len(predictions) == report.n == start.samples[event.split]
        assert event.metrics["accuracy"] == float((predictions.predicted == predictions.targets).mean())
    assert torch.equal(torch.tensor(last.confusion).sum(dim=1).float(), torch.full((10,), 9.0)), (
        "the validation split is stratified"
    )


def test_the_best_weights_are_those_evaluated(train_run: Train) -> None:
    """The best epoch is the one of the lowest validation loss, and not the last one here."""
    trained = train_run(ERRATIC)
    losses = [event.validation["loss"] for event in trained.told(EpochFinished)]
    best = losses.index(min(losses)) + 1
    assert best < len(losses)
    assert trained.told(EpochFinished)[-1].best_epoch == best == trained.checkpoint("best")["epoch"]
    assert trained.told(EpochFinished)[-1].best_metrics == trained.told(EpochFinished)[best - 1].validation
    accuracy = trained.told(EpochFinished)[best - 1].validation["accuracy"]
    assert trained.told(EvaluationFinished)[0].metrics["accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_without_validation_the_last_epoch_counts(train_run: Train) -> None:
    trained = train_run(SMALL | {"data": {"name": "iris", "validation": 0}, "model": "mlp"})
    assert [event.best_epoch for event in trained.told(EpochFinished)] == [1, 2, 3]
    assert [event.validation for event in trained.told(EpochFinished)] == [{}] * 3
    assert trained.told(EpochFinished)[-1].best_metrics == trained.told(EpochFinished)[-1].train
    assert [event.split for event in trained.told(EvaluationFinished)] == ["test"]
    for name, weight in trained.weights("best").items():
        assert torch.equal(weight, trained.weights("last")[name])


def test_early_stop(train_run: Train) -> None:
    trained = train_run(ERRATIC)
    last = trained.told(EpochFinished)[-1]
    assert last.epoch == last.best_epoch + 2 < 500
    notices = [event.message for event in trained.told(Notice)]
    assert notices == ["validation loss has not become better for 2 epochs: stopping early"]
    assert kinds(trained)[-3:] == ["EvaluationFinished", "EvaluationFinished", "RunFinished"]
    assert {event.kind for event in trained.told(CheckpointSaved)} == {"last", "best"}
    assert summarise(trained.run).status == "completed"


def test_stopped(train_run: Train) -> None:
    trained = train_run(SMALL, at_step=(20, lambda control, model: control.stop()))
    assert (trained.finished.status, trained.finished.error) == ("stopped", "")
    assert trained.told(EvaluationFinished) == []
    assert kinds(trained)[-1] == "RunFinished"
    last = trained.told(CheckpointSaved)[-1]
    assert (last.kind, last.epoch, last.step) == ("last", 1, 20), "it ends after the batch going on"
    assert trained.checkpoint()["progress"]["batch"] == 7
    assert summarise(trained.run).status == "stopped"


def test_stopped_before_it_began(train_run: Train) -> None:
    def stop(event: Event, control: RunControl) -> None:
        if isinstance(event, RunStarted):
            control.stop()

    trained = train_run(SMALL, on_event=stop)
    assert (trained.finished.status, trained.checkpoint()["progress"]["step"]) == ("stopped", 1)


def test_diverged_at_once(train_run: Train) -> None:
    trained = train_run(SMALL | {"optimizer": {"name": "sgd", "lr": 1e30}})
    assert trained.finished.status == "diverged"
    assert "NaN or infinite in epoch 1" in trained.finished.error
    assert "try a smaller learning rate" in trained.finished.error
    assert [event.message for event in trained.told(Notice)] == [trained.finished.error]
    assert trained.told(CheckpointSaved) == trained.told(EvaluationFinished) == []
    assert summarise(trained.run).status == "diverged"
    assert summarise(trained.run).error == trained.finished.error
    steps = LogReader(trained.run.log_file).read()
    assert any(
        isinstance(event, StepLogged) and event.train["loss"] != event.train["loss"] for event in steps
    )


def spoil(control: RunControl, model: Any) -> None:
    """Every number of the network becomes NaN."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(float("nan"))


def test_diverged_later_keeps_the_earlier_checkpoints(
    train_run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.engine.SAVE_SECONDS", 0.0)
    good = train_run(SMALL, at_step=(27, lambda control, model: control.stop()))
    kept = {kind: good.weights(kind) for kind in ("last", "best")}
    trained = train_run(run=good.run, at_step=(3, spoil))
    assert trained.finished.status == "diverged"
    assert trained.told(CheckpointSaved) == []
    for kind, weights in kept.items():
        for name, weight in trained.weights(kind).items():
            assert torch.equal(weight, weights[name])
            assert weight.isfinite().all()


def test_going_on_after_divergence_is_a_choice(train_run: Train) -> None:
    trained = train_run(SMALL | {"training": {"on_divergence": "continue"}}, at_step=(20, spoil))
    assert [event.epoch for event in trained.told(EpochFinished)] == [1, 2, 3]
    assert trained.told(EpochFinished)[-1].best_epoch == 1
    assert len(trained.told(Notice)) == 1, "it is told once"
    assert trained.finished.status == "completed", "the best epoch is evaluated"
    assert all(weight.isfinite().all() for weight in trained.weights("best").values())


def test_never_a_finite_loss_leaves_nothing_to_evaluate(train_run: Train) -> None:
    trained = train_run(SMALL | {"training": {"on_divergence": "continue"}}, at_step=(1, spoil))
    assert trained.finished.status == "failed"
    assert "no epoch had a finite validation loss" in trained.finished.error
    assert trained.finished.traceback == ""


@pytest.mark.parametrize("expected", [True, False])
def test_failed(train_run: Train, expected: bool) -> None:
    def fail(control: RunControl, model: Any) -> None:
        raise DataError("the disk is gone") if expected else ZeroDivisionError("by zero")

    trained = train_run(SMALL, at_step=(20, fail))
    assert trained.finished.status == "failed"
    error = trained.finished.error
    assert (
        error == "the disk is gone"
        if expected
        else error.startswith("ZeroDivisionError: by zero, in epoch 2")
    )
    assert ("Traceback" in trained.finished.traceback) is not expected
    assert trained.told(CheckpointSaved) == trained.told(EvaluationFinished) == []
    assert kinds(trained) == ["RunStarted", "EpochFinished", "RunFinished"]
    assert summarise(trained.run).status == "failed"
    assert summarise(trained.run).error == trained.finished.error


@pytest.mark.heavy
def test_killed_and_gone_on_with(command: Callable[..., Any], tmp_path: Path, train_run: Train) -> None:
    """SIGKILL in the middle of a run; then the same weights as if nothing had happened."""
    values = {"data": {"name": "digits", "test": 0.9}, "model": {"dropout": 0.2}, "training": {"epochs": 120}}
    process = command(
        "train --no-ui --json --data digits --epochs 120 --threads 1 --device cpu --set data.test=0.9 "
        "--set model.dropout=0.2 --set checkpoint_minutes=1e-5"
    )
    # Nobody reads on after the checkpoint: the pipe fills, so the run cannot reach its end before it is killed.
    for line in process.stdout:
        event = from_json(line)
        if isinstance(event, CheckpointSaved) and event.kind == "last":
            break
    run = find_run(tmp_path / "runs", "latest")
    assert summarise(run).status == "running"
    with pytest.raises(RunLocked, match=f"is being trained by process {process.pid} "):
        train_run(run=run)

    process.send_signal(signal.SIGKILL)
    process.wait()

    assert summarise(run).status == "interrupted"
    assert not any(isinstance(event, RunFinished) for event in all_events(run.log_file))
    resumed, undisturbed = train_run(run=run), train_run(values)
    assert 0 < resumed.told(RunStarted)[0].step < undisturbed.told(EpochFinished)[-1].step
    for name, weight in undisturbed.weights().items():
        assert torch.equal(resumed.weights()[name], weight)
    assert summarise(run).status == "completed"
    assert summarise(run).evaluation == summarise(undisturbed.run).evaluation


# -- what may go wrong without ending a run --------------------------------------------------------------------


def test_a_checkpoint_that_cannot_be_written_is_told_and_training_goes_on(
    train_run: Train, tmp_path: Path
) -> None:
    def block(control: RunControl, model: Any) -> None:
        next((tmp_path / "runs").iterdir()).joinpath("checkpoints").write_text("in the way")

    trained = train_run(SMALL, at_step=(1, block))
    assert trained.finished.status == "completed"
    assert trained.told(CheckpointSaved) == []
    assert "checkpoint not saved: cannot write" in trained.told(Notice)[0].message


def test_a_log_that_cannot_be_written_is_told_once_and_training_goes_on(
    train_run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(log: Any, event: Event) -> None:
        raise RunError("cannot write events.jsonl: No space left on device")

    monkeypatch.setattr("core.runs.log.EventLog.write", fail)
    trained = train_run(SMALL)
    assert trained.finished.status == "completed"
    notices = [event.message for event in trained.told(Notice)]
    assert notices == ["event log not written: cannot write events.jsonl: No space left on device"]


def test_a_complete_run_is_not_gone_on_with(train_run: Train) -> None:
    trained = train_run(SMALL)
    with pytest.raises(RunError, match=r"is complete: 3 epochs\. Give a larger training\.epochs"):
        train_run(run=trained.run)


def test_a_damaged_checkpoint_is_told(train_run: Train) -> None:
    trained = train_run(SMALL, at_step=(20, lambda control, model: control.stop()))
    trained.run.checkpoint_file("last").write_bytes(b"?")
    with pytest.raises(RunDamaged, match=r"last\.pt cannot be read"):
        train_run(run=trained.run)


@pytest.mark.parametrize("ask", ["stop", "checkpoint"])
def test_a_request_in_the_moment_of_divergence_keeps_the_good_checkpoint(
    train_run: TrainRun, ask: str
) -> None:
    good = train_run(SMALL, at_step=(20, lambda control, model: control.stop()))

    def spoil_and_ask(control: RunControl, model: Any) -> None:
        spoil(control, model)
        getattr(control, ask)()

    train_run(run=good.run, at_step=(3, spoil_and_ask))
    assert all(weight.isfinite().all() for weight in good.weights("last").values())


def test_the_best_epoch_survives_divergence(train_run: TrainRun) -> None:
    trained = train_run(SMALL, at_step=(30, spoil))
    assert trained.finished.status == "diverged"
    assert trained.run.checkpoint_file("best").exists()


def test_epochs_of_a_run_that_was_made_longer(train_run: TrainRun) -> None:
    run = train_run({"data": "iris", "model": "mlp", "training": {"epochs": 1}}).run
    train_run({"training": {"epochs": 40}}, run=run)
    assert (summarise(run).epoch, summarise(run).epochs) == (40, 40)


def test_validation_accuracy_is_exact(train_run: TrainRun) -> None:
    trained = train_run({"data": {"name": "digits", "test": 0.5}})
    for epoch in trained.told(EpochFinished):
        right = sum(row[place] for place, row in enumerate(epoch.confusion))
        assert epoch.validation["accuracy"] == right / sum(map(sum, epoch.confusion))
