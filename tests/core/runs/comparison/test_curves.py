"""Curves of runs on any axis, and which run leads in one."""

import json
import math

import numpy as np
import pytest

from core.events import EpochFinished, Event, RunStarted, StepLogged, to_json
from core.metrics import lower_is_better
from core.runs.comparison.curves import best_point, curve, curve_names, first_compared, leads
from core.runs.comparison.entries import Entry, EntryReader
from core.runs.comparison.groups import grouped
from core.runs.comparison.ranking import why_unranked
from core.runs.comparison.settings import not_comparable, other_losses
from core.runs.folder import Run
from tests.support.fixtures import WriteRun


def read(*runs: Run) -> list[Entry]:
    return [EntryReader(run).read() for run in runs]


def test_a_curve_is_laid_over_epochs_steps_or_seconds_of_training(write_run: WriteRun) -> None:
    (entry,) = read(write_run("a", [0.9, 0.5, 0.4], seconds=3.0))
    by_epoch, by_step, by_time = (curve(entry, "validation loss", axis) for axis in ("epoch", "step", "time"))
    assert by_epoch[0].tolist() == [1, 2, 3]
    assert by_step[0].tolist() == [10, 20, 30]
    assert by_time[0].tolist() == [3, 6, 9]
    assert all(line[1].tolist() == [0.9, 0.5, 0.4] for line in (by_epoch, by_step, by_time))
    assert len(curve(entry, "validation r2", "time")[0]) == 0


def test_seconds_of_training_go_on_where_a_run_goes_on(write_run: WriteRun) -> None:
    run = write_run("a", [0.9, 0.5, 0.4], seconds=3.0, finished=False)
    lines = run.log_file.read_text().splitlines()
    again = {**json.loads(lines[0]), "epoch": 2, "step": 20, "time": 1767400000.0}  # a day later
    third = {**json.loads(lines[-1]), "seconds": 5.0, "time": 1767400005.0}
    run.log_file.write_text("\n".join([*lines, json.dumps(again), json.dumps(third)]) + "\n")
    (entry,) = read(run)
    assert curve(entry, "validation loss", "time")[0].tolist() == [3, 6, 11]


def step(number: int, at: float, epoch: int = 1) -> StepLogged:
    return StepLogged(
        time=1767322800.0 + at,
        epoch=epoch,
        step=number,
        train={"loss": 1 / number},
        lr=0.1,
        samples_per_second=0.0,
    )


def add(run: Run, *events: Event) -> None:
    with run.log_file.open("a") as log:
        log.writelines(f"{to_json(event, run.id)}\n" for event in events)


def test_the_steps_of_a_first_epoch_have_their_time(write_run: WriteRun) -> None:
    run = write_run("a", [], finished=False)
    add(run, step(2, 4.0), step(5, 10.0))
    (entry,) = read(run)
    by_epoch, by_time = (curve(entry, "train loss by step", axis)[0] for axis in ("epoch", "time"))
    assert by_epoch.tolist() == [0.2, 0.5]
    assert by_time.tolist() == [4.0, 10.0]


def test_an_epoch_that_an_earlier_session_began_counts_at_this_ones_pace(write_run: WriteRun) -> None:
    run = write_run("a", [0.5], seconds=3.0, finished=False)
    first = json.loads(run.log_file.read_text().splitlines()[0])
    again = {**first, "epoch": 1, "step": 14, "time": first["time"] + 1000}  # of 10 steps an epoch
    with run.log_file.open("a") as log:
        log.write(json.dumps(again) + "\n")
    add(run, step(16, 1002.0, epoch=2))
    (entry,) = read(run)
    assert entry.seconds[0].tolist() == pytest.approx([1.0, 1.6])
    assert entry.seconds[1].tolist() == pytest.approx([3.0, 9.0])


def test_a_script_that_does_not_say_how_long_an_epoch_is(write_run: WriteRun) -> None:
    run = write_run("a", [], finished=False)
    begun = {
        **json.loads(run.log_file.read_text()),
        "steps_per_epoch": 0,
        "config": {"script": {"name": "x"}},
    }
    run.log_file.write_text(json.dumps(begun) + "\n")
    add(run, step(2, 4.0), step(8, 16.0))
    (entry,) = read(run)
    assert curve(entry, "train loss by step", "step")[0].tolist() == [2, 8]
    assert curve(entry, "train loss by step", "time")[0].tolist() == [4, 16]
    assert curve(entry, "train loss by step", "epoch")[0].size == 0
    ended = EpochFinished(
        time=1767322820.0,
        epoch=1,
        step=10,
        train={},
        validation={"loss": 0.1},
        lr=0.1,
        seconds=20.0,
        best_epoch=1,
        best_metrics={},
    )
    add(run, ended, step(15, 30.0, epoch=2))
    (entry,) = read(run)
    assert curve(entry, "train loss by step", "epoch")[0].tolist() == [0.2, 0.8, 1.5]
    assert curve(entry, "train loss by step", "step")[0].tolist() == [2, 8, 15]
    assert curve(entry, "train loss by step", "time")[0].tolist() == [4, 16, 30]
    told = not_comparable(read(run, write_run("b", [0.5])), "validation")
    assert told == "not every run records its data"


def test_every_curve_of_any_run_has_a_name_the_common_ones_first(write_run: WriteRun) -> None:
    run = write_run("a", [0.9])
    with run.log_file.open("a") as log:
        more = {"perplexity": 20.0}
        log.write(
            to_json(
                EpochFinished(
                    epoch=2,
                    step=20,
                    train=more,
                    validation=more,
                    lr=0.1,
                    seconds=1,
                    best_epoch=1,
                    best_metrics={},
                ),
                "a",
            )
            + "\n"
        )
    names = curve_names(read(run, write_run("b", [0.5])))
    assert names[:4] == ["validation loss", "validation accuracy", "train loss", "train accuracy"]
    assert {"train perplexity", "validation perplexity"} <= set(names)
    assert "seconds" not in names


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("validation loss", True),
        ("train accuracy", False),
        ("rmse", True),
        ("f1_macro", False),
        ("nll loss", True),
        ("validation error_rate", True),
        ("val_err", True),
        ("loss/total", True),
        ("error_auc", False),
        ("grad_norm", False),
    ],
)
def test_it_is_known_which_way_is_better(metric: str, lower: bool) -> None:
    assert lower_is_better(metric) is lower


def test_the_lowest_loss_and_the_highest_accuracy_lead(write_run: WriteRun) -> None:
    entries = read(write_run("a", [0.9, 0.3, 0.6]), write_run("b", [0.9, 0.5, math.nan]), write_run("c", []))
    best = leads(grouped(entries), "validation loss")[0]
    assert (best.place, best.epoch, best.value) == (0, 2, 0.3)
    assert leads(grouped(entries), "validation accuracy")[0].value == pytest.approx(0.9)
    assert leads(grouped(entries), "lr") == []
    assert leads(grouped(entries), "validation r2") == []


def test_the_point_of_a_curve_is_that_of_the_best_epoch(write_run: WriteRun) -> None:
    run = write_run("a", [0.9, 0.3, 0.4])
    lines = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    lines[3]["validation"]["accuracy"] = lines[3]["train"]["accuracy"] = 0.99  # the highest, at another epoch
    run.log_file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (group,) = grouped(read(run))
    for name in ("validation loss", "validation accuracy", "train accuracy"):
        best = best_point(group, name)
        assert best is not None
        assert best.epoch == group.first.summary.best_epoch == 2
    assert group.first.summary.chosen_by == "best by loss"


def test_runs_with_different_losses_are_compared_by_what_all_have(write_run: WriteRun) -> None:
    runs = [write_run(name, [0.9, 0.4], values={"loss": name}) for name in ("hinge", "mse", "cross_entropy")]
    assert first_compared(read(*runs)) == "validation accuracy"
    log = runs[0].log_file
    log.write_text(log.read_text().replace('"accuracy"', '"quality"'))
    entries = read(*runs)
    first = first_compared(entries)
    assert leads(grouped(entries), first) == [], "no star where not all have a score"


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("loss", "the losses differ (hinge, mse)"),
        ("log_loss", ""),
        ("accuracy", ""),
        ("tokens", "it is not known whether less or more tokens is better"),
    ],
)
def test_one_place_says_why_runs_are_not_ranked(metric: str, why: str) -> None:
    configs = [{"data": {"name": "iris"}, "loss": {"name": name}} for name in ("hinge", "mse")]
    assert why_unranked(configs, metric, "validation") == why
    other = [*configs, {"data": {"name": "digits"}}]
    assert why_unranked(other, metric, "validation") == "not the same data: digits, iris"
    assert why_unranked(configs, "tokens", "validation", {"tokens": True}) == ""


def test_values_of_different_losses_have_no_leader(write_run: WriteRun) -> None:
    entries = read(
        write_run("a", [0.9, 0.3], values={"loss": {"name": "mse"}}),
        write_run("b", [0.9, 0.5], values={"loss": {"name": "cross_entropy"}}),
    )
    assert other_losses(entries) == "the losses differ (cross_entropy, mse)"
    assert leads(grouped(entries), "validation loss") == []
    assert leads(grouped(entries), "validation accuracy")[0].place == 0

    smooth = read(
        write_run("c", [0.3], values={"loss": {"name": "cross_entropy"}}),
        write_run("d", [0.5], values={"loss": {"name": "cross_entropy", "label_smoothing": 0.2}}),
    )
    assert other_losses(smooth) == "the losses differ (settings of cross_entropy)"
    assert leads(grouped(smooth), "train loss") == []
    assert leads(grouped(smooth[:1]), "train loss")[0].place == 0


def test_numbers_beyond_all_bounds_do_no_harm(write_run: WriteRun) -> None:
    run = write_run("a", [1e308, 1e-320], finished=False)
    with run.log_file.open("a") as log:
        log.write(
            to_json(
                RunStarted(
                    config={"data": {"name": "x"}},
                    task="multiclass",
                    samples={},
                    classes=[],
                    sample_shape=[1],
                    parameters=1,
                    device="cpu",
                    threads=1,
                    epochs=1 << 52,
                    steps_per_epoch=1 << 52,
                    epoch=1 << 52,
                    step=1 << 53,
                ),
                "a",
            )
            + "\n"
        )
    (entry,) = read(run)
    assert np.isfinite(curve(entry, "validation loss", "step")[0]).all()
