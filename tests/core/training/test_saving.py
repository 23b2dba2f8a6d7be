"""Checkpoints are written beside the training: what is written is the state of one moment, whatever comes after it."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.control import RunControl
from core.errors import RunError
from core.events import CheckpointSaved, EpochFinished, Notice, RunFinished, RunPaused, RunResumed
from core.runs.checkpoints import FolderCheckpoints
from core.training.saver import Saver
from core.user_code.trust import trust

Train = Callable[..., Any]
LONG = 60.0
"""Seconds that no test waits for, unless what it waits for never comes."""
VALUES: dict[str, Any] = {
    "data": {"name": "digits", "test": 0.6, "validation": 0.2},
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.2},
    "optimizer": "adam",
    "training": {"epochs": 3, "batch_size": 32},
}


def stop(control: RunControl, model: Any) -> None:
    control.stop()


class Steps:
    """Counts training steps, and does things at some of them."""

    def __init__(self, **actions: Callable[[RunControl], object]) -> None:
        self.actions = {int(name.removeprefix("step_")): action for name, action in actions.items()}
        self.count = 1
        self.before: dict[int, dict[str, torch.Tensor]] = {}

    def __call__(self, control: RunControl, model: Any) -> None:
        """At the first step: watch all later ones."""
        model.register_forward_pre_hook(lambda module, _: self._step(control, module))

    def _step(self, control: RunControl, model: Any) -> None:
        if model.training:
            self.count += 1
            self.before[self.count] = {key: value.clone() for key, value in model.state_dict().items()}
            if (action := self.actions.get(self.count)) is not None:
                action(control)


def test_training_goes_on_while_a_checkpoint_is_written(train_run: Train, monkeypatch: Any) -> None:
    """The disk takes no byte before five more steps are done; what it then takes is the state from before them."""
    released = threading.Event()
    real = FolderCheckpoints.save
    seen: list[dict[str, Any]] = []

    def slow(checkpoints: FolderCheckpoints, state: dict[str, Any], kind: Any) -> None:
        assert released.wait(LONG), "training waits for the disk"
        seen.append(state)
        real(checkpoints, state, kind)

    monkeypatch.setattr(FolderCheckpoints, "save", slow)
    steps = Steps(step_4=lambda control: control.checkpoint(), step_10=lambda control: released.set())
    trained = train_run(VALUES, at_step=(1, steps))

    assert trained.finished.status == "completed"
    assert seen[0]["progress"]["step"] == 4
    for name, weight in seen[0]["model"].items():
        assert torch.equal(weight, steps.before[5][name]), "the state after step 4 is that before step 5"
        assert not torch.equal(weight, steps.before[10][name])


@pytest.mark.slow
def test_without_room_for_a_copy_the_state_is_the_same(train_run: Train, monkeypatch: Any) -> None:
    copied = train_run(VALUES, at_step=(7, stop))
    monkeypatch.setattr("core.training.saver.memory", lambda: SimpleNamespace(available=0, total=0))
    written = train_run(VALUES, at_step=(7, stop))
    for name, weight in copied.weights().items():
        assert torch.equal(weight, written.weights()[name])
    assert written.told(CheckpointSaved)[-1].step == 7


@pytest.mark.slow
def test_what_was_asked_for_is_told_while_the_run_is_paused(train_run: Train) -> None:
    def act(event: Any, control: RunControl) -> None:
        if isinstance(event, RunPaused):
            control.checkpoint()
        if isinstance(event, CheckpointSaved) and event.step == 3:
            control.resume()

    trained = train_run(VALUES, at_step=(3, lambda control, model: control.pause()), on_event=act)
    names = [type(event).__name__ for event in trained.events]
    assert names.index("RunPaused") < names.index("CheckpointSaved") < names.index("RunResumed")
    assert trained.told(RunResumed)[0].step == 3


def test_a_defect_of_the_writer_does_not_stay_hidden(train_run: Train, monkeypatch: Any) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(FolderCheckpoints, "save", fail)
    trained = train_run(VALUES)
    assert (trained.finished.status, trained.finished.error) == ("failed", "ZeroDivisionError: a defect")


def test_the_last_checkpoint_is_on_disk_before_the_end_is_told(train_run: Train) -> None:
    def look(event: Any, control: RunControl) -> None:
        if isinstance(event, RunFinished):
            assert threads() == before, "nobody writes any more"

    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("checkpoints")]

    before = threads()
    trained = train_run(VALUES, on_event=look)
    assert trained.told(Notice) == []
    assert trained.told(CheckpointSaved)[-1].step == trained.told(EpochFinished)[-1].step


@pytest.mark.slow
def test_a_stop_in_the_middle_of_validation_is_heard_there(train_run: Train) -> None:
    """Seconds are given to save, and a validation may take minutes; the epoch is validated when the run goes on."""

    def stop_at_first_validation(control: RunControl, model: Any) -> None:
        model.register_forward_pre_hook(lambda module, _: None if module.training else control.stop())

    stopped = train_run(VALUES, at_step=(1, stop_at_first_validation))
    assert stopped.finished.status == "stopped"
    assert stopped.told(EpochFinished) == []
    resumed, undisturbed = train_run(run=stopped.run), train_run(VALUES)
    assert [epoch.validation for epoch in resumed.told(EpochFinished)] == [
        epoch.validation for epoch in undisturbed.told(EpochFinished)
    ]
    for name, weight in undisturbed.weights().items():
        assert torch.equal(weight, resumed.weights()[name])


MONTE_CARLO = """
from torch import nn
from torch.nn import functional

class Net(nn.Module):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(in_features, 16)
        self.out = nn.Linear(16, num_classes)

    def forward(self, inputs):
        hidden = self.hidden(inputs.flatten(1)).relu()
        return self.out(functional.dropout(hidden, 0.3, training=True))
"""
"""Dropout in validation, too."""


@pytest.mark.slow
def test_a_stop_in_a_validation_that_draws_random_numbers_changes_none_of_them(
    train_run: Train, tmp_path: Path
) -> None:
    """Monte Carlo dropout: the validation that was left and done again gives what one session gives."""
    (tmp_path / "monte_carlo.py").write_text(MONTE_CARLO)
    trust(tmp_path / "monte_carlo.py")
    values = {**VALUES, "model": {"name": "python", "path": f"{tmp_path / 'monte_carlo.py'}:Net"}}

    def stop_after_a_batch_of_validation(control: RunControl, model: Any) -> None:
        model.register_forward_hook(lambda module, *_: None if module.training else control.stop())

    stopped = train_run(values, at_step=(1, stop_after_a_batch_of_validation))
    assert (stopped.finished.status, stopped.told(EpochFinished)) == ("stopped", [])
    resumed, undisturbed = train_run(run=stopped.run), train_run(values)
    assert [epoch.validation for epoch in resumed.told(EpochFinished)] == [
        epoch.validation for epoch in undisturbed.told(EpochFinished)
    ]
    for name, weight in undisturbed.weights().items():
        assert torch.equal(weight, resumed.weights()[name])


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [1e-9, 5.0])
def test_how_often_is_saved_changes_nothing(train_run: Train, monkeypatch: Any, minutes: float) -> None:
    monkeypatch.setattr("core.training.engine.LOG_SECONDS", 0.0)
    monkeypatch.setattr("core.training.engine.MAX_PENDING_STEPS", 1)
    often = train_run({**VALUES, "training": {**VALUES["training"], "checkpoint_minutes": minutes}})
    monkeypatch.undo()
    for name, weight in train_run(VALUES).weights().items():
        assert torch.equal(weight, often.weights()[name])


def test_a_disk_that_stays_full_is_told_once_and_once_more_when_it_has_room() -> None:
    problems = ["full", "full", "", "", "full", "damaged"]

    class Disk:
        def save(self, state: dict[str, Any], kind: str) -> None:
            if problems[0]:
                raise RunError(problems[0])

    saver, told = Saver(Disk()), []
    while problems:
        saver.start({"progress": {"epoch": 1, "step": 1}}, None)
        told += [event.message for event in saver.pop_events(wait=True) if isinstance(event, Notice)]
        problems.pop(0)
    saver.close()
    not_saved = "checkpoint not saved: "
    assert told == [
        f"{not_saved}full",
        "checkpoints are saved again",
        f"{not_saved}full",
        f"{not_saved}damaged",
    ]
    assert saver.problem == "damaged"
