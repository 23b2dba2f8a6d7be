"""`tui train --no-ui --folds` and `--seeds`: a run each, their spread at the end, and going on after Ctrl-C."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.schema import TrainConfig
from core.events import EpochFinished, EvaluationFinished, Event
from core.runs.folder import all_runs
from core.runs.origin.together import together_of
from core.runs.summary import summarise
from core.session import session
from tui.headless.train_views import JsonView, PlainView

Tui = Callable[..., Any]


def by_fold() -> dict[int, Any]:
    return {run.config().data.fold: summarise(run) for run in all_runs(Path("runs"))}


@pytest.mark.slow
def test_each_fold_is_a_run_and_their_metrics_end_in_a_table(train: Tui) -> None:
    answer = train("--folds 3")
    assert (answer.code, answer.err) == (0, "")
    runs = by_fold()
    assert {fold: summary.status for fold, summary in runs.items()} == dict.fromkeys((1, 2, 3), "completed")
    values = [runs[fold].evaluation["validation"]["accuracy"] for fold in (1, 2, 3)]
    rows = {line.split()[0]: line.split()[1:] for line in answer.out.splitlines() if line}
    assert "3 of 3 folds are complete" in answer.out
    shown = [np.mean(values), np.std(values, ddof=1), *values]
    low, dots, high = rows["accuracy"][2:5]
    assert rows["accuracy"][:2] + rows["accuracy"][5:] == [f"{value:.4f}" for value in shown]
    assert float(low) < np.mean(values) < float(high)
    assert dots == "…"
    assert "rests on 120 validation samples" in answer.out
    assert "the last epoch counts" in answer.out
    assert "resume" not in answer.out
    assert "test:" not in answer.out


def test_json_ends_with_the_spread(train: Tui) -> None:
    answer = train("--folds 2 --json")
    told = [json.loads(line) for line in answer.out.splitlines()]
    assert [event["event"] for event in told].count("run_finished") == 2
    last, runs = told[-1], by_fold()
    assert (last["event"], last["status"], last["folds"], last["completed"]) == (
        "folds_finished",
        "completed",
        2,
        2,
    )
    assert last["runs"] == [runs[1].run.id, runs[2].run.id]
    assert {event["run"] for event in told[:-1]} == set(last["runs"])
    assert together_of(runs[1].run) == together_of(runs[2].run) != ""
    losses = [runs[fold].metrics["loss"] for fold in (1, 2)]
    assert last["metrics"]["loss"]["values"] == losses
    assert last["metrics"]["loss"]["mean"] == pytest.approx(np.mean(losses))
    assert last["metrics"]["loss"]["deviation"] == pytest.approx(np.std(losses, ddof=1))


def interrupt_in_fold(view: Any, fold: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C at the end of the first epoch of a fold."""
    original = view.show

    def show(self: Any, event: Event) -> None:
        original(self, event)
        if isinstance(event, EpochFinished) and event.epoch == 1 and max(by_fold()) == fold:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(view, "show", show)


@pytest.mark.slow
def test_after_ctrl_c_it_goes_on_and_repeats_nothing(
    train: Tui, tui: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_in_fold(PlainView, 2, patch)
        answer = train("--folds 3")
    assert answer.code == 130
    first = by_fold()
    assert {fold: summary.status for fold, summary in first.items()} == {1: "completed", 2: "stopped"}
    assert "1 of 3 folds are complete" in answer.out
    command = answer.out.splitlines()[-1]
    assert command == f"resume  tui train --no-ui --resume {first[2].run.id} --folds 3"
    again = tui(command.removeprefix("resume  tui "))
    assert again.code == 0
    assert "fold 1 of 3" not in again.out
    assert "3 of 3 folds are complete" in again.out
    last = by_fold()
    assert {summary.status for summary in last.values()} == {"completed"}
    assert last[1] == first[1]
    assert last[2].run == first[2].run
    assert len(all_runs(Path("runs"))) == 3
    undisturbed = tui(
        "train --no-ui --data iris --model mlp --epochs 3 --device cpu --threads 1 --folds 3"
    ).out
    assert table_of(undisturbed) == table_of(again.out)


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_while_a_fold_is_evaluated_ends_after_it(
    train: Tui, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    """It is too late to stop the run of that fold, which is complete; the next one does not start."""
    view = JsonView if as_json else PlainView
    original = view.show

    def show(self: Any, event: Event) -> None:
        original(self, event)
        if isinstance(event, EvaluationFinished):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(view, "show", show)
    answer = train("--folds 3 --json" if as_json else "--folds 3")
    assert (answer.code, answer.err) == (130, "")
    (run,) = all_runs(Path("runs"))
    assert summarise(run).status == "completed"
    last = answer.out.splitlines()[-1]
    if as_json:
        assert (json.loads(last)["status"], json.loads(last)["completed"]) == ("stopped", 1)
    else:
        assert last == f"resume  tui train --no-ui --resume {run.id} --folds 3"


@pytest.mark.slow
def test_ctrl_c_while_a_fold_is_prepared_says_how_to_go_on(
    train: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(config: TrainConfig, *others: Any, **named: Any) -> Any:
        if config.data.fold == 2:
            raise KeyboardInterrupt
        return original(config, *others, **named)

    original = session.prepare
    monkeypatch.setattr(session, "prepare", prepare)
    answer = train("--folds 3")
    (run,) = all_runs(Path("runs"))
    assert (answer.code, answer.err) == (130, "")
    assert answer.out.endswith(f"resume  tui train --no-ui --resume {run.id} --folds 3\n")


def test_several_processes_are_refused(train: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    answer = train("--folds 2")
    assert (answer.code, answer.out) == (2, "")
    assert "--folds trains in a single process" in answer.err


def table_of(out: str) -> list[str]:
    lines = out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith("folds are complete"))
    return [line for line in lines[at:] if "runs" not in line]


def test_an_interrupted_one_says_so_in_json(train: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_in_fold(JsonView, 1, monkeypatch)
    answer = train("--folds 2 --json")
    last = json.loads(answer.out.splitlines()[-1])
    assert answer.code == 130
    assert (last["status"], last["completed"], last["metrics"], len(last["runs"])) == ("stopped", 0, {}, 1)


def test_a_fold_that_diverges_is_exit_1_and_the_others_are_told(train: Tui) -> None:
    answer = train("--folds 2 --optimizer sgd --lr 1e30 --loss mse")
    assert answer.code == 1
    assert "0 of 2 folds are complete" in answer.out
    assert "fold 2  diverged" in answer.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--folds 3 --resume latest", "--folds: got 3, "),
        ("--folds 2 --resume latest --epochs 9", "keeps the configuration of the runs"),
    ],
)
def test_what_does_not_go_on_is_refused(train: Tui, tui: Tui, line: str, message: str) -> None:
    train("--folds 2 --quiet")
    before = all_runs(Path("runs"))
    answer = tui(f"train --no-ui {line}")
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert message in answer.err
    assert all_runs(Path("runs")) == before


def test_folds_need_no_ui(tui: Tui) -> None:
    answer = tui("train --folds 5")
    assert answer.code == 2
    assert "--folds needs --no-ui" in answer.err


@pytest.mark.slow
def test_seeds_train_a_run_each_and_tell_the_spread_on_both_splits(train: Tui, tui: Tui) -> None:
    answer = train("--seeds 2 --seed 7 --json")
    last = json.loads(answer.out.splitlines()[-1])
    assert (answer.code, last["event"], last["seeds"], last["completed"]) == (0, "seeds_finished", 2, 2)
    runs = {run.config().training.seed: summarise(run) for run in all_runs(Path("runs"))}
    assert sorted(runs) == [7, 8]
    for split, told in (("validation", last["metrics"]), ("test", last["test"])):
        values = [runs[seed].evaluation[split]["accuracy"] or 0.0 for seed in (7, 8)]
        assert told["accuracy"]["values"] == values
        assert told["accuracy"]["mean"] == pytest.approx(sum(values) / 2)
    more = tui(f"train --no-ui --resume {runs[8].run.id} --seeds 3")
    assert more.code == 0
    assert "seed 9, 3 of 3" in more.out
    assert "3 of 3 seeds are complete" in more.out
    assert len(all_runs(Path("runs"))) == 3


def test_folds_and_seeds_exclude_each_other(train: Tui) -> None:
    answer = train("--folds 2 --seeds 2")
    assert answer.code == 2
    assert "exclude each other" in answer.err
