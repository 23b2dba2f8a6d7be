"""Ctrl-C and SIGTERM: once saves and stops, twice exits at once."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.events import CheckpointSaved, Event, RunFinished, RunStarted
from core.runs.folder import find_run
from core.runs.lock import is_held
from core.runs.log import all_events
from core.runs.summary import summarise
from tui.headless.train_views import JsonView

ENDLESS = "train --no-ui --data iris --model mlp --epochs 1000000 --device cpu --threads 1"


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(command: Callable[..., Any], tmp_path: Path) -> None:
    process = command(ENDLESS)
    for line in process.stdout:
        if line.startswith("epoch 1/"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    run = find_run(tmp_path / "runs", "latest")
    assert (process.returncode, err) == (130, "")
    assert out.endswith(f"resume  tui train --no-ui --resume {run.id}\n")
    assert summarise(run).status == "stopped"
    saved = [event for event in all_events(run.log_file) if isinstance(event, CheckpointSaved)]
    assert saved[-1].kind == "last"
    assert run.checkpoint_file("last").is_file()


@pytest.mark.slow
def test_sigterm_is_the_same_with_its_own_code(command: Callable[..., Any], tmp_path: Path) -> None:
    process = command(f"{ENDLESS} --json")
    for line in process.stdout:
        if json.loads(line)["event"] == "epoch_finished":
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    assert (process.returncode, err) == (143, "")
    assert json.loads(out.splitlines()[-1])["status"] == "stopped"
    assert (find_run(tmp_path / "runs", "latest").path / "checkpoints" / "last.pt").is_file()


@pytest.mark.slow
def test_stop_from_another_process_saves_and_ends(
    command: Callable[..., Any], tui: Callable[..., Any], tmp_path: Path
) -> None:
    process = command(ENDLESS)
    for line in process.stdout:
        if line.startswith("epoch 1/"):
            break
    run = find_run(tmp_path / "runs", "latest")
    where = f"--runs {tmp_path / 'runs'}"
    assert tui(f"stop latest {where}").out == f"asked {run.id} to save and stop\n"
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.endswith(f"resume  tui train --no-ui --resume {run.id}\n")
    assert summarise(run).status == "stopped"
    assert run.checkpoint_file("last").is_file()
    refused = tui(f"stop latest {where}")
    assert refused.code == 2
    assert "is not being trained" in refused.err


def raise_when_started(*signals: signal.Signals) -> Callable[[Any, Event], None]:
    """A view's `show` that sends this process signals as soon as the run has started."""

    def show(view: Any, event: Event) -> None:
        if isinstance(event, RunStarted):
            for number in signals:
                signal.raise_signal(number)

    return show


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_once_ends_after_the_batch(
    train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, first: signal.Signals
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(JsonView, "show", raise_when_started(first))
    assert train("--json").code == 128 + first
    run = find_run(Path("runs"), "latest")
    assert [event.step for event in all_events(run.log_file) if isinstance(event, CheckpointSaved)] == [1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_ctrl_c_twice_leaves_at_once(train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(JsonView, "show", raise_when_started(signal.SIGINT, signal.SIGINT))
    answer = train("--json")
    assert (answer.code, json.loads(answer.out)["message"]) == (130, "interrupted")
    assert "Traceback" not in answer.err
    run = find_run(Path("runs"), "latest")
    assert not is_held(run)
    assert summarise(run).status == "interrupted"
    assert not any(isinstance(event, RunFinished) for event in all_events(run.log_file))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_ctrl_c_while_data_is_fetched(train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.session.session.prepare", interrupt)
    answer = train("")
    assert (answer.code, answer.out) == (130, "")
    assert not Path("runs").exists()
