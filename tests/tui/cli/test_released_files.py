"""Runs, a study and a configuration file on a user's disk, written by version 0.1.0, open and continue as before.

`tests/released/v0_1/write.py` says how they were written.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.support.repository import REPOSITORY

RELEASED = REPOSITORY / "tests" / "released" / "v0_1"
SMALL = "--set model.hidden=[4] --batch-size 32 --lr 0.05 --threads 1 --device cpu"
"""The choices that the runs were made with; see `write.py`."""


Tui = Callable[[str], Any]


@pytest.fixture(autouse=True)
def copies(tui: Tui) -> None:
    """Put copies of the released files into the current folder, which is empty."""
    shutil.copytree(RELEASED / "runs", "runs")
    shutil.copy(RELEASED / "wine.yaml", ".")


def run_of(name: str) -> Path:
    """Return the folder of a released run, by data and model."""
    (found,) = Path("runs").glob(f"2*_{name}_*")
    return found


def events_of(run: Path, kind: str) -> list[dict[str, Any]]:
    events = map(json.loads, (run / "events.jsonl").read_text().splitlines())
    return [event for event in events if event["event"] == kind]


def test_runs_are_listed_and_shown(tui: Tui) -> None:
    listed = {run["id"].split("_")[2]: run for run in json.loads(tui("runs --json").out)["runs"]}
    assert {name: (run["status"], run["epochs"]) for name, run in listed.items()} == {
        "iris-mlp": ("completed", 2),
        "iris-python": ("completed", 2),
        "script": ("completed", 2),
        "wine-mlp": ("stopped", 1),
    }
    assert listed["script"]["metrics"] == {"loss": 0.75}
    for name, values in listed.items():
        shown = tui(f"runs show {run_of(name).name}")
        assert shown.code == 0, shown.err
        assert values["status"] in shown.out
        assert "damaged" not in shown.out + shown.err


@pytest.mark.slow
def test_a_stopped_run_is_resumed_to_what_one_session_gives(tui: Tui) -> None:
    stopped = run_of("wine-mlp")
    resumed = tui(f"train --no-ui --resume {stopped.name}")
    assert resumed.code == 0, resumed.err
    starts = [(start["epoch"], start["step"]) for start in events_of(stopped, "run_started")]
    assert starts == [(0, 0), (1, 5)]
    assert [event["epoch"] for event in events_of(stopped, "epoch_finished")] == [1, 2, 3]
    assert tui(f"train --no-ui --no-system --data wine {SMALL} --epochs 3").code == 0
    (whole,) = set(Path("runs").glob("2*_wine-mlp_*")) - {stopped}
    losses = [events_of(run, "epoch_finished")[-1]["validation"]["loss"] for run in (stopped, whole)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


@pytest.mark.slow
def test_a_completed_run_is_trained_for_more_epochs(tui: Tui) -> None:
    run = run_of("iris-mlp")
    assert tui(f"train --no-ui --resume {run.name} --epochs 3").code == 0
    assert [event["epoch"] for event in events_of(run, "epoch_finished")] == [1, 2, 3]


def test_its_evaluation_is_read_and_made_again_alike(tui: Tui) -> None:
    run = run_of("iris-mlp")
    stored = json.loads(tui(f"evaluate {run.name} --json").out)
    kept = np.load(run / "evaluation/test/predictions.npz", allow_pickle=False)["scores"]
    shutil.rmtree(run / "evaluation")
    again = tui(f"evaluate {run.name} --json")
    assert json.loads(again.out)["metrics"] == pytest.approx(stored["metrics"], nan_ok=True)
    made = np.load(run / "evaluation/test/predictions.npz", allow_pickle=False)["scores"]
    assert made == pytest.approx(kept, abs=1e-5)


@pytest.mark.slow
def test_a_network_of_the_users_own_runs_from_its_copy_once_trusted(tui: Tui) -> None:
    run = run_of("iris-python")
    shutil.rmtree(run / "evaluation")
    refused = tui(f"evaluate {run.name}")
    assert refused.code != 0
    assert "--trust-code" in refused.err
    assert tui(f"evaluate {run.name} --trust-code").code == 0
    assert tui(f"train --no-ui --resume {run.name} --epochs 3").code == 0


@pytest.mark.slow
def test_runs_are_compared_and_reported(tui: Tui) -> None:
    names = " ".join(run_of(name).name for name in ("iris-mlp", "iris-python", "script"))
    compared = tui(f"compare {names} --json")
    assert compared.code == 0, compared.err
    assert all(name in compared.out for name in names.split())
    reported = tui(f"report {names} --output page.html")
    assert reported.code == 0, reported.err
    page = Path("page.html").read_text()
    assert all(name in page for name in names.split())


@pytest.mark.slow
def test_a_study_is_resumed_and_keeps_its_trials(tui: Tui) -> None:
    answer = tui("tune --no-ui --json --resume latest --trials 3")
    assert answer.code == 0, answer.err
    events = list(map(json.loads, answer.out.splitlines()))
    trained = [(event["trial"], event["params"]) for event in events if event["event"] == "trial_finished"]
    assert trained == [(2, {"optimizer.lr": 1.0})]
    assert (events[-1]["event"], events[-1]["completed"]) == ("study_finished", 3)


def test_a_configuration_file_gives_the_same_settings(tui: Tui) -> None:
    saved = yaml.safe_load(Path("wine.yaml").read_text())
    resolved = yaml.safe_load(tui("config --config wine.yaml").out)
    for section, fields in saved.items():
        assert resolved[section].items() >= fields.items()
    trained = tui("train --no-ui --no-system --config wine.yaml --epochs 1 --device cpu")
    assert trained.code == 0, trained.err
