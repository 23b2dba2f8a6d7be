"""`tui tune --no-ui`: what it prints, how it ends, and that a study survives whatever ends it."""

import json
import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from core import config as configuration
from core.events import RunStarted
from core.runs.folder import Run, all_runs
from core.runs.lock import is_held
from core.runs.log import LogReader
from core.tuning.study import open_study

SHORT = ("--data", "iris", "--epochs", "3", "--device", "cpu")
LONG = ("--data", "iris", "--epochs", "400", "--device", "cpu")
RATE = ("-p", "lr=log:1e-3..1e-1")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_is_an_object_a_trial_and_one_at_the_end(tui: Callable[..., Any]) -> None:
    answer = tui("tune", "--no-ui", "--json", *SHORT, "--trials", "3", *RATE, "-p", "model.hidden=4,8")
    assert (answer.code, answer.err) == (0, "")
    *trials, end = lines(answer.out)
    assert [trial["trial"] for trial in trials] == [0, 1, 2]
    for trial in trials:
        assert (trial["event"], trial["state"], trial["epochs"]) == ("trial_finished", "completed", 3)
        assert trial["params"].keys() == {"optimizer.lr", "model.hidden"}
        assert Run(Path(trial["run"])).config().optimizer.lr == trial["params"]["optimizer.lr"]
    best = min(trials, key=lambda trial: trial["value"])
    assert (end["event"], end["status"], end["trials"]) == ("study_finished", "completed", 3)
    assert end["best"] == {key: best[key] for key in ("value", "params", "trial", "run")}


def test_a_log_gets_a_line_a_trial_and_the_best_configuration(tui: Callable[..., Any]) -> None:
    ranges = ("-p", "optimizer=adam,momentum", "-p", "optimizer.momentum=0.5,0.9", "-p", "lr=0.1,0.01")
    answer = tui("tune", "--no-ui", *SHORT, "--method", "grid", *ranges)
    assert (answer.code, answer.err) == (0, "")
    assert "\x1b" not in answer.out
    assert "grid: 6 trials of 6 combinations, 1 at once" in answer.out
    assert "minimize validation loss over optimizer.name, optimizer.momentum, optimizer.lr" in answer.out
    assert [f"{count}/6  trial " in answer.out for count in range(1, 7)] == [True] * 6
    assert "importance of each parameter" in answer.out
    _, _, text = answer.out.partition("best configuration, trial ")
    printed, _, rest = text.partition("\n\n")[2].partition("\ntui train")
    config = configuration.from_dict(yaml.safe_load(printed))
    study = open_study(Path("runs"), "latest")
    assert config == study.config(study.ranked()[0])
    command = shlex.split("tui train" + rest.partition("\n")[0])[1:]
    assert configuration.from_dict(yaml.safe_load(tui("config", *command[2:]).out)) == config


def test_without_ranges_the_model_and_the_optimizer_have_their_own(tui: Callable[..., Any]) -> None:
    answer = tui("tune", "--no-ui", *SHORT, "--trials", "1", "--optimizer", "adamw", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    searched = open_study(Path("runs"), "latest").plan.space.domains
    assert [*searched] == [
        *("optimizer.lr", "optimizer.weight_decay", "model.hidden", "model.dropout", "training.batch_size")
    ]


def test_ranges_come_from_a_file_too_and_options_win(tui: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("optimizer.lr: {low: 1e-4, high: 1, log: true}\nmodel.hidden: {choices: [[4], [8]]}\n")
    answer = tui("tune", "--no-ui", *SHORT, "--quiet", "--trials", "1", "--space", str(file), *RATE)
    assert (answer.code, answer.err) == (0, "")
    searched = open_study(Path("runs"), "latest").plan.space.to_dict()
    assert searched["optimizer.lr"] == {"low": 1e-3, "high": 0.1, "log": True}
    assert searched["model.hidden"] == {"choices": [[4], [8]]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "`tui tune` works headless"),
        (("--no-ui", "-p", "lrr=0.1,1"), "lrr: unknown key. Did you mean"),
        (("--no-ui", "-p", "optimizer.lrr=0.1,1"), "optimizer.lrr: unknown key. Did you mean 'lr'?"),
        (("--no-ui", "--method", "grid", *RATE), "optimizer.lr: a grid needs choices or a step"),
        (("--no-ui", "--timeout", "soon"), "--timeout: got 'soon'"),
        (("--no-ui", "--ray-address", "auto"), "--ray-address and --gpus-per-trial are for a Ray cluster"),
        (("--no-ui", "--storage", "nowhere"), "--storage: this is no URL of a database"),
        (("--no-ui", "--resume", "latest"), "no study 'latest' in runs"),
        (("--no-ui", "--resume", "x", "--method", "grid"), "--resume goes on with the study's own search"),
        (("--no-ui", "--val", "0"), "data.validation: got 0, tuning needs validation data"),
    ],
)
def test_mistakes_are_told_in_a_line_and_nothing_is_written(
    tui: Callable[..., Any], arguments: tuple[str, ...], message: str
) -> None:
    answer = tui("tune", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {message}")
    assert answer.err.count("\n") == 1
    assert not any(Path("runs").rglob("trials/*"))


def test_a_study_in_which_everything_fails_says_why(tui: Callable[..., Any]) -> None:
    answer = tui("tune", "--no-ui", "--json", *SHORT, "--trials", "9", "-p", "lr=1e20..1e30")
    *trials, end = lines(answer.out)
    assert (answer.code, len(trials), end["status"], end["best"]) == (1, 5, "failed", None)
    assert {trial["state"] for trial in trials} == {"diverged"}
    assert "error: the first 5 trials all failed; the last one: the loss became NaN or infinite" in answer.err


def test_time_ends_a_study_that_has_no_number_of_trials(tui: Callable[..., Any]) -> None:
    answer = tui("tune", "--no-ui", "--json", *SHORT, *RATE, "--timeout", "3s")
    *trials, end = lines(answer.out)
    assert answer.code == 0
    assert end["trials"] == len(trials)
    refused = tui("tune", "--no-ui", "--resume", "latest")
    assert (refused.code, "has no number of trials. Give --trials N" in refused.err) == (2, True)


def test_a_trial_is_evaluated_and_resumed_like_any_run(tui: Callable[..., Any]) -> None:
    pruned = ("--pruner", "asha", "-p", "lr=0.01,1e-7", "--method", "grid", "--epochs", "30")
    first, second, _ = lines(tui("tune", "--no-ui", "--json", *SHORT, *pruned, "--keep", "1").out)
    assert (first["state"], second["state"]) == ("completed", "pruned")
    assert json.loads(tui("evaluate", first["run"], "--json").out)["n"] == 30
    assert tui("train", "--no-ui", "--quiet", "--resume", second["run"]).code == 0
    listed = json.loads(tui("runs", "--json", "--runs", str(Path(first["run"]).parent)).out)
    assert [run["epochs"] for run in listed] == [30, 30]
    assert tui("runs", "--json").out == "[]\n"


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(command: Callable[..., Any], tmp_path: Path) -> None:
    process = command("tune", "--no-ui", *SHORT, *RATE, "--trials", "100000")
    for line in process.stdout:
        if line.startswith("2/100000"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    study = open_study(tmp_path / "runs", "latest")
    assert (process.returncode, err) == (130, "")
    assert out.endswith(f"go on       tui tune --no-ui --resume {study.name}\n")
    assert not any(map(is_held, all_runs(study.folder.trials_dir)))


def test_a_killed_study_loses_and_repeats_nothing(
    command: Callable[..., Any], tui: Callable[..., Any], tmp_path: Path
) -> None:
    """A second process joins in, the first is killed in the middle of a trial, the second does the rest."""
    grid = ("--method", "grid", "-p", "lr=0.1,0.03,0.01,0.003", "-p", "batch_size=16,32")
    process = command("tune", "--no-ui", "--json", *LONG, *grid)
    done = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    done += lines(out)
    answer = tui("tune", "--no-ui", "--json", "--resume", "latest", "--runs", str(tmp_path / "runs"))
    *rest, end = lines(answer.out)
    assert (answer.code, end["trials"], end["completed"]) == (0, 8, 8)
    assert sorted(trial["trial"] for trial in done + rest) == list(range(8))
    assert {tuple(trial["params"].values()) for trial in done + rest} == {
        (lr, batch) for lr in (0.1, 0.03, 0.01, 0.003) for batch in (16, 32)
    }
    runs = all_runs(open_study(tmp_path / "runs", "latest").folder.trials_dir)
    begun = [[e for e in LogReader(run.log_file).read() if isinstance(e, RunStarted)] for run in runs]
    assert sorted(map(len, begun)) in ([1] * 8, [1] * 7 + [2])


def test_two_processes_share_a_study(
    command: Callable[..., Any], tui: Callable[..., Any], tmp_path: Path
) -> None:
    grid = ("--method", "grid", "-p", "lr=0.1,0.03,0.01,0.003", "-p", "batch_size=16,32")
    process = command("tune", "--no-ui", "--json", *LONG, *grid)
    first = [json.loads(process.stdout.readline())]
    second = tui("tune", "--no-ui", "--json", "--resume", "latest", "--runs", str(tmp_path / "runs"))
    out, err = process.communicate()
    assert (process.returncode, err, second.code) == (0, "", 0)
    *mine, mine_end = lines(second.out)
    *theirs, theirs_end = first + lines(out)
    assert sorted(trial["trial"] for trial in mine + theirs) == list(range(8))
    assert mine_end["trials"] == theirs_end["trials"] == 8
