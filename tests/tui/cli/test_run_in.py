"""`tui train --run-in`: where a run trains, chosen on the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.events import RunFinished
from core.runs.checkpoints import load_checkpoint
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs
from core.runs.lock import hold
from core.runs.log import EventLog
from core.runs.summary import summarise
from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Tui
from tui.cli.host_options import without_place
from tui.runtime.hosts import background
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.processes import Processes
from tui.runtime.hosts.profiles import load_profile
from tui.runtime.user_queue import adding

SEVERAL = "tui train --data iris --no-ui --processes 4\n"

NET = """
import os, pathlib, torch
pathlib.Path(f"rank-{os.environ['RANK']}-of-{os.environ['WORLD_SIZE']}").touch()
def make(in_features: int, out_features: int):
    return torch.nn.Linear(in_features, out_features)
"""


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))


class Process:
    """A process that trains at once, and ends; digits it cannot train."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def poll(self) -> int:
        if not self.run.log_file.exists():
            fails = "digits" in self.run.id
            log = EventLog(self.run)
            log.write(
                RunFinished(
                    status="failed" if fails else "completed", error="no such device" if fails else ""
                )
            )
            log.close()
        return 0


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Runs for which a background process would have been started."""
    runs: list[Run] = []

    def launch(run: Run, data_root: Path | None) -> Process:
        runs.append(run)
        return Process(run)

    monkeypatch.setattr(background, "launch_in_background", launch)
    return runs


def test_what_would_run_is_shown_and_not_started(tui: Tui) -> None:
    assert tui("train --dry-run --data iris --run-in processes --processes 4").out == SEVERAL
    assert tui("train --data iris --processes=4 --dry-run").out == SEVERAL
    shown = tui("train --no-ui --data iris --run-in background --dry-run --json")
    assert json.loads(shown.out) == {
        "v": 1,
        "document": "command",
        "run_in": "background",
        "command": "tui train --no-ui --data iris --json",
        "script": "",
        "each": [{"command": "tui train --no-ui --data iris --json", "script": ""}],
    }
    assert not Path("runs").exists()


def test_a_profile_saved_here_is_used_again_and_settings_beside_it_count_more(tui: Tui) -> None:
    saved = tui("train --data iris --processes 4 --gpus 0,1 --save-profile four --dry-run")
    assert saved.err.startswith("saved as ")
    assert load_profile("four") == Processes(processes=4, gpus=(0, 1))
    assert tui("train --data iris --profile four --dry-run").out == SEVERAL[:-1] + " --gpus 0,1\n"
    two = tui("train --data iris --profile four --processes 2 --dry-run").out
    assert "--processes 2 --gpus 0,1" in two
    wrong = tui("train --profile four --run-in background")
    assert (wrong.code, wrong.err) == (
        2,
        "error: --run-in is background, but the profile four is for processes. Leave one out\n",
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("--run-in mars", "no such host 'mars'. Known: here, background, processes"),
        (
            "--run-in background --processes 2",
            "--processes is not a setting of --run-in background. It is one",
        ),
        (
            "--run-in queue --processes 2",
            "It is one of processes; `tui queue add train` takes it, too",
        ),
        ("--processes -1", "processes: got -1, takes a number >= 0"),
        ("--gpus a", "gpus.0: got 'a', takes a whole number"),
        ("--processes 2 --gpus 99", "GPU 99 is not here ("),
        ("--memory 3Q", "memory: '3Q' is not an amount of memory. Give MB, or a number"),
        ("--account 'a b'", "account: 'a b' is not one word. Use letters, digits and"),
        ("--profile none", "there is no profile 'none'. None was saved yet"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tui: Tui, line: str, error: str) -> None:
    answer = tui(f"train --data iris {line}")
    assert answer.code == 2
    assert error in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("runs").exists()


def test_a_host_that_is_not_there_says_why(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Background, "unavailable", classmethod(lambda cls: "no processes here"))
    answer = tui("train --data iris --run-in background")
    assert (answer.code, answer.err) == (2, "error: --run-in background: no processes here\n")


def test_a_run_is_started_in_the_background_and_how_to_follow_it_is_told(
    tui: Tui, launched: list[Run]
) -> None:
    answer = tui("train --data iris --run-in background --name first --runs elsewhere")
    (run,) = launched
    assert answer.code == 0
    assert answer.out.splitlines() == [
        f"{run.id} trains in the background",
        f"follow  tui watch {run.id} --runs elsewhere",
        f"stop    tui stop {run.id} --runs elsewhere",
    ]
    document = json.loads(tui("train --data iris --run-in background --json").out)
    assert (document["run"], document["run_in"]) == (launched[1].id, "background")


def test_a_run_that_does_not_start_in_the_background_says_why(tui: Tui, launched: list[Run]) -> None:
    answer = tui("train --data digits --run-in background")
    assert answer.code == 2
    assert answer.err == "error: the run was not started on --run-in background: no such device\n"


def test_an_own_network_that_only_a_file_names_is_not_started_elsewhere(
    tui: Tui, launched: list[Run]
) -> None:
    Path("net.py").write_text("def make(): ...\n")
    Path("run.yaml").write_text("data: iris\nmodel: {name: python, path: 'net.py:make'}\n")
    answer = tui("train --config run.yaml --run-in background")
    assert answer.code == 2
    assert "neither named nor run before" in answer.err
    assert not launched


def test_words_that_say_where_are_left_out_of_what_runs_there() -> None:
    words = (
        "--runs r train --run-in processes --gpus 0 --processes=2 --data iris --profile p --dry-run --json"
    )
    assert without_place(words.split()) == ["--runs", "r", "train", "--data", "iris", "--json"]


@pytest.mark.heavy
def test_several_processes_train_one_run_in_this_terminal(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    line = (
        "train --data iris --model net.py:make --epochs 2 --batch-size 10 --device cpu --processes 2 --json"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "torchtui", *line.split()],
        cwd=tmp_path,
        env={**os.environ, "TUI_RUNS": "runs", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    (run,) = all_runs(tmp_path / "runs")
    assert summarise(run).status == "completed"
    epochs = [line for line in ended.stdout.splitlines() if '"epoch_finished"' in line]
    assert len(epochs) == 2  # one live view
    assert {path.name for path in tmp_path.glob("rank-*")} == {"rank-0-of-2", "rank-1-of-2"}


@pytest.mark.slow
def test_a_run_that_trains_elsewhere_goes_on_from_the_checkpoint_that_was_chosen(
    tui: Tui, train: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "start_working", lambda: None)
    assert train("--set checkpoints.every=1").code == 0
    (run,) = all_runs(Path("runs"))
    answer = tui("train --resume latest --checkpoint epoch-2 --epochs 4 --run-in queue")
    assert answer.code == 0, answer.err
    assert load_checkpoint(run, "last")["progress"]["epoch"] == 2


def test_a_run_that_trains_elsewhere_has_the_epochs_that_it_was_given(
    tui: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "start_working", lambda: None)
    run = create_run(Path("runs"), TrainConfig())
    answer = tui(f"train --no-ui --resume {run.id} --epochs 100 --run-in queue")
    assert answer.code == 0, answer.err
    assert run.config().training.epochs == 100
    with hold(run):
        answer = tui(f"train --no-ui --resume {run.id} --epochs 200 --run-in queue")
    assert (answer.code, "is being trained" in answer.err) == (2, True)
    assert run.config().training.epochs == 100
