"""Runs that differ in their seed alone: which ones they are, their mean, and how they stand beside others."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation import Report
from core.report.comparison import score_text as shown_in_report
from core.runs.comparison.curves import best_point, leads, mean_curve
from core.runs.comparison.entries import Entry, EntryReader
from core.runs.comparison.groups import RunGroup, grouped, started_twice
from core.runs.comparison.settings import differences
from core.runs.comparison.standings import standings
from core.runs.folder import Run
from tests.support.fixtures import WriteRun
from tests.support.narrow import some
from tui.charts.comparison import interval_text


@pytest.fixture
def entries(write_run: WriteRun) -> list[Entry]:
    """Three seeds of one configuration, one of them twice, and another configuration."""

    def run(name: str, losses: list[float], seed: int, lr: float = 0.1) -> Run:
        values = {"training": {"seed": seed, "epochs": 3}, "optimizer": {"name": "adam", "lr": lr}}
        return write_run(name, losses, values=values, accuracy=1 - losses[-1])

    runs = [
        run("a", [0.9, 0.5, 0.4], 0),
        run("b", [0.7, 0.4, 0.3], 1),
        run("c", [0.8, 0.3], 2),
        run("again", [0.8, 0.3, 0.3], 1),
        run("other", [0.9, 0.8, 0.7], 0, lr=0.2),
    ]
    return [EntryReader(each).read() for each in runs]


def test_seeds_of_one_configuration_are_a_group_and_each_seed_counts_once(entries: list[Entry]) -> None:
    groups = grouped(entries)
    assert [[entry.run.id[-1] for entry in group.entries] for group in groups] == [[*"abc"], ["n"], ["r"]]
    assert groups[0].seeds == [0, 1, 2]
    assert [len(group.entries) for group in grouped(entries, apart=[entries[1].run])] == [3, 1, 1]
    assert len(grouped(entries, apart=[entry.run for entry in entries])) == 5
    found = differences([groups[0], groups[2]])
    assert found == {"optimizer.lr": [0.1, 0.2], "training.seed": [[0, 1, 2], 0]}


def test_seeds_that_were_started_twice_are_two_groups(write_run: WriteRun) -> None:
    def run(minute: int, seed: int) -> Entry:
        name = f"2026-11-30_12{minute:02}_iris-mlp_{seed}{minute:02}"
        values = {"training": {"seed": seed, "epochs": 3}}
        return EntryReader(write_run(name, [0.9, 0.5], values=values)).read()

    first, second = [run(0, seed) for seed in (0, 1)], [run(9, seed) for seed in (0, 1, 2)]
    groups = grouped([first[0], second[1], *second[:1], *second[2:], first[1]])
    assert [group.entries for group in groups] == [tuple(first), tuple(second)]
    assert started_twice(groups) == "2 groups are seeds of one configuration, started 2 times"
    assert started_twice(groups[:1]) == ""


def test_the_mean_ends_where_the_first_run_does_and_its_best_point_leads(entries: list[Entry]) -> None:
    group, _, other = grouped(entries)
    x, mean, deviation = mean_curve(group, "validation loss", "epoch")
    assert x.tolist() == [1, 2]
    assert mean == pytest.approx([0.8, 0.4])
    assert deviation == pytest.approx([0.1, 0.1])
    assert some(best_point(group, "validation loss")).value == pytest.approx(0.4)
    assert [best.place for best in leads([other, group], "validation loss")] == [1]
    assert len(mean_curve(group, "validation r2", "epoch")[0]) == 0


def test_a_group_stands_by_its_mean_beside_its_deviation(entries: list[Entry]) -> None:
    group, _, other = grouped(entries)
    accuracy = next(row for row in standings([group, other], "validation") if row.metric == "accuracy")
    mine, alone = (some(score) for score in accuracy.scores)
    each = [some(entry.reports["validation"].metrics["accuracy"]) for entry in group.entries]
    assert mine.value == pytest.approx(np.mean(each))
    assert mine.deviation == pytest.approx(np.std(each, ddof=1))
    assert mine.runs == 3
    assert mine.interval is None
    assert alone.deviation is None
    assert some(accuracy.differences[1]).value == pytest.approx(alone.value - mine.value)
    assert accuracy.is_tested


def test_a_mean_of_some_seeds_says_of_how_many(entries: list[Entry]) -> None:
    """Where a seed predicts one class alone, its precision is undefined, and the mean is that of the others."""
    found = [
        replace(
            entry,
            reports={
                "validation": Report(
                    "binary", "validation", 9, ["a", "b"], {"precision": precision}, {}, {}, {}, [], []
                )
            },
        )
        for entry, precision in zip(grouped(entries)[0].entries, (0.9, None, 0.7), strict=True)
    ]
    score = some(standings([RunGroup(tuple(found))], "validation")[0].scores[0])
    assert score.value == pytest.approx(0.8)
    assert (score.runs, score.part) == (2, "2/3")
    assert interval_text(score) == "± 0.1414 2/3"
    assert shown_in_report(score) == "0.8000\n± 0.1414 2/3"
    assert interval_text(replace(score, runs=1, deviation=None)) == "1/3"
    assert interval_text(replace(score, runs=3)) == "± 0.1414"
