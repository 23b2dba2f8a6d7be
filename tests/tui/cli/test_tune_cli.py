"""`tui tune --no-ui`: its output, its exit codes, and that a study survives whatever stops it."""

import io
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config import schema as configuration
from core.runs.folder import Run, all_runs
from core.runs.lock import is_held
from core.runs.summary import summarise
from core.tuning.search.plan import make_plan
from core.tuning.study.records import (
    StudyEvent,
    StudyPaused,
    StudyStarted,
    TrialFinished,
    TrialRecord,
    TrialReported,
    TrialStarted,
)
from core.tuning.study.study import open_study
from tests.support.own_metrics import write_own_metrics
from tui.headless.study_views import PlainView, ProgressView
from tui.runtime.study_follower import Follower

SHORT = "tune --no-ui --data iris --model mlp --epochs 3 --device cpu"
LONG = "tune --no-ui --json --data iris --model mlp --epochs 120 --device cpu"
GRID = "--method grid -p lr=0.1,0.03,0.01 -p batch_size=16,32"
RATE = "-p lr=log:1e-3..1e-1"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_is_an_object_a_trial_and_one_at_the_end(tui: Callable[..., Any]) -> None:
    answer = tui(f"{SHORT} --json --trials 3 {RATE} -p model.hidden=4,8")
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


@pytest.mark.slow
def test_a_log_gets_a_line_a_trial_and_the_best_configuration(tui: Callable[..., Any]) -> None:
    ranges = "-p optimizer=adam,momentum -p optimizer.momentum=0.5,0.9 -p lr=0.1,0.01"
    answer = tui(f"{SHORT} --method grid {ranges}")
    assert (answer.code, answer.err) == (0, "")
    assert "\x1b" not in answer.out
    assert "grid: 6 trials of 6 combinations, 1 at once" in answer.out
    assert "minimize validation loss over optimizer.name, optimizer.momentum, optimizer.lr" in answer.out
    assert [f"{count}/6  trial " in answer.out for count in range(1, 7)] == [True] * 6
    assert "importance of each parameter: shown from 10 trials on" in answer.out
    _, _, text = answer.out.partition("best configuration, trial ")
    printed, _, rest = text.partition("\n\n")[2].partition("\ntui train")
    config = configuration.from_dict(yaml.safe_load(printed))
    study = open_study(Path("runs"), "latest")
    assert config == study.config(study.ranked()[0])
    options = rest.partition("\n")[0].removeprefix(" --no-ui ")
    assert configuration.from_dict(yaml.safe_load(tui(f"config {options}").out)) == config


@pytest.mark.slow
def test_without_ranges_the_model_and_the_optimizer_have_their_own(tui: Callable[..., Any]) -> None:
    answer = tui(f"{SHORT} --trials 1 --optimizer adamw --quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    searched = open_study(Path("runs"), "latest").plan.space.domains
    assert [*searched] == [
        *("optimizer.lr", "optimizer.weight_decay", "model.hidden", "model.dropout", "training.batch_size")
    ]


@pytest.mark.slow
def test_a_metric_of_the_user_s_own_drives_search_and_pruning(
    tui: Callable[..., Any], tmp_path: Path
) -> None:
    own = write_own_metrics(tmp_path)
    cancer = "tune --no-ui --json --data breast_cancer --model mlp --epochs 3 --device cpu --trials 3"
    answer = tui(f"{cancer} --metrics {own}Cost --metric Cost --pruner median {RATE}")
    assert (answer.code, answer.err) == (0, "")
    *trials, end = lines(answer.out)
    done = [trial for trial in trials if trial["state"] == "completed"]
    assert end["best"]["value"] == min(trial["value"] for trial in done), "less is better"
    summary = summarise(Run(Path(end["best"]["run"])))
    assert summary.metrics["Cost"] == end["best"]["value"]


@pytest.mark.slow
def test_a_file_s_metric_with_arguments_is_reported_and_searched_by(
    tui: Callable[..., Any], tmp_path: Path
) -> None:
    own = write_own_metrics(tmp_path)
    options = f"--metric {own}Cost --set training.metric_arguments.Cost.price=100 {RATE}"
    answer = tui(
        f"tune --no-ui --json --data breast_cancer --model mlp --epochs 2 --device cpu --trials 2 {options}"
    )
    assert (answer.code, answer.err) == (0, "")
    *_, end = lines(answer.out)
    assert open_study(Path("runs"), "latest").plan.direction == "minimize"
    run = Run(Path(end["best"]["run"]))
    assert run.config().training.metrics == (f"{own}Cost",)
    assert run.config().training.metric_arguments == {"Cost": {"price": 100}}
    assert summarise(run).metrics["Cost"] == end["best"]["value"]
    answer = tui(f"{SHORT} --metric {own}Cost --set training.metric_arguments.Cost.prize=1 {RATE}")
    assert answer.code == 2
    assert "training.metric_arguments.Cost.prize: unknown key" in answer.err


@pytest.mark.slow
def test_a_metric_that_is_not_reported_is_added(tui: Callable[..., Any]) -> None:
    answer = tui(f"{SHORT} --json --trials 2 --metric f1_macro --pruner median {RATE}")
    assert (answer.code, answer.err) == (0, "")
    *_, end = lines(answer.out)
    run = Run(Path(end["best"]["run"]))
    assert run.config().training.metrics == ("f1_macro",)
    assert summarise(run).metrics["f1_macro"] == end["best"]["value"]
    answer = tui(f"{SHORT} --trials 2 --metric mae {RATE}")
    assert answer.code == 2
    assert "a multiclass task has no mae" in answer.err


@pytest.mark.slow
def test_ranges_come_from_a_file_too_and_options_win(tui: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("optimizer.lr: {low: 1e-4, high: 1, log: true}\nmodel.hidden: {choices: [[4], [8]]}\n")
    answer = tui(f"{SHORT} --quiet --trials 1 --space {file} {RATE}")
    assert (answer.code, answer.err) == (0, "")
    searched = open_study(Path("runs"), "latest").plan.space.to_dict()
    assert searched["optimizer.lr"] == {"low": 1e-3, "high": 0.1, "log": True}
    assert searched["model.hidden"] == {"choices": [[4], [8]]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("-p lrr=0.1,1", "lrr: unknown key. Did you mean optimizer.lr?"),
        ("-p optimizer.lrr=0.1,1", "optimizer.lrr: unknown key. Did you mean 'lr'?"),
        (f"--method grid {RATE}", "optimizer.lr: a grid needs choices or a step"),
        ("--timeout soon", "--timeout: got 'soon'"),
        ("--executor ray --processes 2", "--processes starts the processes of each trial on this machine"),
        ("--ray-address auto", "--ray-address and --gpus-per-trial need a Ray cluster"),
        ("--storage nowhere", "storage: this is not the URL of a database"),
        ("--resume latest", "there are no studies in runs"),
        ("--pause latest", "there are no studies in runs"),
        ("--pause x --continue x", "--pause and --continue cannot be used together"),
        ("--stop x --pause x", "--pause and --stop cannot be used together"),
        ("--resume x --method grid", "--resume keeps the study's own search"),
        ("--val 0", "data.validation: got 0, tuning needs validation data"),
    ],
)
def test_mistakes_are_told_in_a_line_and_nothing_is_written(
    tui: Callable[..., Any], options: str, message: str
) -> None:
    answer = tui(f"tune --no-ui {options}")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {message}")
    assert answer.err.count("\n") == 1
    assert not any(Path("runs").rglob("trials/*"))


def test_a_study_in_which_everything_fails_says_why(tui: Callable[..., Any]) -> None:
    answer = tui(f"{SHORT} --json --trials 4 -p lr=1e20..1e30")
    *trials, end = lines(answer.out)
    assert (answer.code, len(trials), end["status"], end["best"]) == (1, 4, "failed", None)
    assert {trial["state"] for trial in trials} == {"diverged"}
    assert "error: none of 4 trials completed; " in answer.err
    assert "became NaN or infinite" in answer.err


@pytest.mark.slow
def test_time_ends_a_study_that_has_no_number_of_trials(tui: Callable[..., Any]) -> None:
    answer = tui(f"{SHORT} --json {RATE} --timeout 1s")
    *trials, end = lines(answer.out)
    assert answer.code == 0
    assert end["trials"] == len(trials)
    refused = tui("tune --no-ui --resume latest")
    assert (refused.code, "has no number of trials. Give --trials N" in refused.err) == (2, True)


@pytest.mark.slow
def test_a_trial_is_evaluated_and_resumed_like_any_run(tui: Callable[..., Any]) -> None:
    grid = "--method grid -p lr=0.01,1e-7 --pruner asha --keep 1"
    *ends, _ = lines(tui(f"{SHORT} --epochs 30 --json {grid}").out)
    last = {end["trial"]: end for end in ends}  # a trial that is paused ends once at each milestone
    first, second = last[0], last[1]
    assert (first["state"], second["state"]) == ("completed", "paused")
    assert json.loads(tui(f"evaluate {first['run']} --json").out)["n"] == 30
    assert tui(f"train --no-ui --quiet --resume {second['run']}").code == 0
    listed = json.loads(tui(f"runs --json --runs {Path(first['run']).parent}").out)["runs"]
    assert [run["epochs"] for run in listed] == [30, 30]
    assert json.loads(tui("runs --json").out)["runs"] == []


def test_a_terminal_sees_the_best_value_the_counts_and_the_time_left(tmp_path: Path) -> None:
    plan = make_plan(configuration.from_dict({}), {"optimizer.lr": {"low": 0.01, "high": 1}}, trials=3)
    view = ProgressView()
    view.console.file = io.StringIO()
    params = {"optimizer.lr": 0.5}
    done = TrialRecord(0, "completed", params, 0.25, epochs=20, seconds=12.0)
    second = TrialRecord(1, "running", params)
    view.show(StudyStarted(study="s", folder=tmp_path, plan=plan, slots=2, threads=1, finished=()))
    view.show(TrialFinished(trial=done))
    view.show(TrialStarted(trial=second))
    view.show(TrialReported(number=1, epoch=10, value=0.5))
    task = view.bar.tasks[0]
    assert (task.fields["title"], task.completed, task.total) == ("trial 1/3", 1.5, 3)
    assert task.fields["facts"] == "best 0.2500 (trial 0)  1 completed  0 pruned  0 failed  0:12 left"
    view.show(TrialFinished(trial=replace(second, state="diverged", reason="the loss became NaN")))
    view.close()
    assert task.fields["facts"].startswith("best 0.2500 (trial 0)  1 completed  0 pruned  1 failed")
    printed = view.console.file.getvalue()
    assert "★ 1/3  trial 0  completed  loss 0.2500  optimizer.lr=0.5  20 epochs  12.00 s" in printed
    assert "the loss became NaN" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_cleanly_and_says_how_to_go_on(
    tui: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    show = PlainView.show

    def show_and_signal(view: PlainView, event: StudyEvent) -> None:
        show(view, event)
        if isinstance(event, TrialReported) and (event.number, event.epoch) == (1, 1):
            signal.raise_signal(number)

    monkeypatch.setattr(PlainView, "show", show_and_signal)
    answer = tui(f"{SHORT} {RATE} --epochs 400 --trials 3")
    study = open_study(Path("runs"), "latest")
    assert (answer.code, answer.err) == (128 + number, "")
    assert answer.out.endswith(f"resume      tui tune --no-ui --resume {study.name}\n")
    assert [record.state for record in study.records()] == ["completed", "interrupted"]
    assert not any(map(is_held, all_runs(study.folder.trials_dir)))


@pytest.mark.heavy
def test_a_study_is_paused_and_goes_on_from_outside(
    command: Callable[..., Any], tui: Callable[..., Any], tmp_path: Path
) -> None:
    process = command(f"{LONG} --batch-size 128 --method grid -p epochs=1,100000")
    study = json.loads(process.stdout.readline())["study"]
    where = f"--runs {tmp_path / 'runs'}"
    follower = Follower(tmp_path / "runs", study)

    def states(wanted: str) -> tuple[str, list[str]]:
        """Return the states of the study and its trials, once the study's last trial has one of some states."""
        while True:
            standing = follower.look()
            if standing.records[-1].state == wanted or process.poll() is not None:
                return standing.status, [record.state for record in standing.records]

    assert states("running")[0] == "running"
    assert tui(f"tune --pause latest {where}").out == f"{study} is paused\n"
    assert states("paused") == ("paused", ["completed", "paused"])
    assert tui(f"tune --continue latest {where}").out == f"{study} continues\n"
    assert states("running") == ("running", ["completed", "running"])
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate()
    assert (process.returncode, lines(out)[-1]["status"]) == (143, "stopped")
    refused = tui(f"tune --pause latest {where}")
    assert (refused.code, "no process works on" in refused.err) == (2, True)


@pytest.mark.heavy
def test_a_study_is_stopped_from_outside(
    command: Callable[..., Any], tui: Callable[..., Any], tmp_path: Path
) -> None:
    process = command(f"{LONG} --batch-size 128 --method grid -p epochs=1,100000")
    study = json.loads(process.stdout.readline())["study"]
    where = f"--runs {tmp_path / 'runs'}"
    assert tui(f"tune --stop latest {where}").out == f"{study} was asked to save and stop\n"
    out, _ = process.communicate()
    assert (process.returncode, lines(out)[-1]["status"]) == (0, "stopped")
    assert not any(map(is_held, all_runs(open_study(tmp_path / "runs", study).folder.trials_dir)))
    refused = tui(f"tune --stop latest {where}")
    assert (refused.code, "no process works on" in refused.err) == (2, True)


@pytest.mark.slow
def test_a_pause_is_told_and_is_over_when_someone_goes_on_with_the_study(
    tui: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it waits; who resumes it need not know of the pause."""
    monkeypatch.setattr("core.tuning.study.tuner.LOOK_SECONDS", 0.0)
    show = PlainView.show

    def show_and_pause(view: PlainView, event: StudyEvent) -> None:
        show(view, event)
        if isinstance(event, TrialFinished):
            open_study(Path("runs"), "latest").pause()
        elif isinstance(event, StudyPaused):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(PlainView, "show", show_and_pause)
    answer = tui(f"{SHORT} {RATE} --trials 2 --epochs 200")
    study = open_study(Path("runs"), "latest")
    assert (answer.code, study.paused) == (130, True)
    assert f"paused; `tui tune --continue {study.name}` continues it\n" in answer.out
    monkeypatch.setattr(PlainView, "show", show)
    resumed = tui("tune --no-ui --resume latest")
    assert (resumed.code, study.paused, len(study.records())) == (0, False, 2)
