"""Runs that wait: their order, and several that are trained in turn by one process."""

import os
from pathlib import Path

import pytest

from core.config.schema import TrainConfig, from_dict
from core.errors import RunError
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.lock import hold, is_held
from tui.runtime import in_turn
from tui.runtime.in_turn import train_in_turn
from tui.runtime.queue import Waiting, appended, moved_up, without


def test_runs_are_appended_moved_up_and_removed() -> None:
    one, two, three = (Waiting(TrainConfig(), name) for name in ("one", "two", "three"))
    queue = appended((), one, two, three)
    assert [waiting.name for waiting in queue] == ["one", "two", "three"]
    assert moved_up(queue, three) == (one, three, two)
    assert moved_up(queue, one) == queue
    assert without(queue, two) == (one, three)
    started = without(queue, one)
    assert moved_up(started, one) == without(started, one) == started


def test_a_run_that_waits_is_called_by_its_name_or_else_by_what_it_trains(tmp_path: Path) -> None:
    config = from_dict({"data": "wine", "model": "mlp"})
    assert Waiting(config).name == "wine-mlp"
    assert Waiting(config, label="seed 3").name == "wine-mlp  seed 3"
    assert Waiting(config, "good seed 3", label="seed 3").name == "good seed 3"
    run = create_run(tmp_path / "runs", config)
    assert Waiting(config, run=run).name.startswith("wine-mlp_")


class Ended:
    """A process that has ended."""

    def wait(self) -> int:
        return 1


def test_runs_are_trained_in_turn_and_none_ends_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, refused, deleted, last = runs = [create_run(tmp_path / "runs", TrainConfig()) for _ in range(4)]
    waited: list[bool] = []

    def launch(run: Run, data_root: Path | None, lock: int | None) -> Ended:
        waited.append(is_held(last))
        assert lock is not None
        if run == refused:
            raise RunError("its folder cannot be written")
        if run == first:
            os.unlink(deleted.config_file)
        return Ended()

    monkeypatch.setattr(in_turn, "launched", launch)
    assert train_in_turn(runs, None, None) == [first, last]
    assert waited == [True, True, True]
    assert not any(map(is_held, runs))


def test_a_queue_waits_for_the_run_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, run = (create_run(tmp_path / "runs", TrainConfig()) for _ in range(2))
    order: list[str] = []
    states = iter([True, True, False])

    def launch(*given: object) -> Ended:
        order.append("started")
        return Ended()

    with hold(ahead):
        monkeypatch.setattr(in_turn, "is_held", lambda run: next(states))
        monkeypatch.setattr("time.sleep", lambda seconds: order.append("waited"))
        monkeypatch.setattr(in_turn, "launched", launch)
        train_in_turn([run], ahead, None)
    assert order == ["waited", "waited", "started"]
