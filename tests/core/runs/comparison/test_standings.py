"""Which run leads in a final metric, and which are level with it on the same samples."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation import Predictions
from core.runs.comparison.entries import Entry, EntryReader
from core.runs.comparison.groups import grouped
from core.runs.comparison.settings import other_thresholds
from core.runs.comparison.standings import Score, Standings, standings
from core.runs.folder import Run
from core.tasks.evaluation import evaluate
from tests.support.fixtures import WriteRun
from tests.support.narrow import some


def answered(run: Run, wrong: int, n: int = 1000, first: int = 0) -> None:
    """Evaluate a run on n samples of two classes of which some are wrong, from the first of them on."""
    targets = np.arange(n) % 2
    given = targets.copy()
    given[first : first + wrong] = 1 - given[first : first + wrong]
    scores = np.where(given[:, None] == np.arange(2), 0.8, 0.2)
    predictions = Predictions(scores, targets, np.arange(n), True)
    folder = run.evaluation_folder("validation")
    folder.mkdir(parents=True, exist_ok=True)
    predictions.save(folder / "predictions.npz")
    names = ["no", "yes"]
    evaluate(predictions, task="binary", class_names=names, split="validation").save(folder / "report.json")


def accuracy_of(*entries: Entry) -> Standings:
    return next(row for row in standings(grouped(entries), "validation") if row.metric == "accuracy")


def read(*runs: Run) -> list[Entry]:
    return [EntryReader(run).read() for run in runs]


def test_a_difference_within_the_intervals_is_seen_on_the_same_samples(write_run: WriteRun) -> None:
    runs = [write_run(name, [0.5]) for name in "abc"]
    for run, wrong in zip(runs, (100, 115, 102), strict=True):
        answered(run, wrong)
    found = accuracy_of(*read(*runs))

    low, high = some(some(found.scores[0]).interval)
    assert low < 0.885 < high  # by the intervals alone, all three would be level
    assert found.leader == 0
    assert found.level == {2}
    clear = some(found.differences[1])
    assert clear.value == pytest.approx(-0.015)
    assert clear.p == pytest.approx(3 * 2 * 0.5**15)
    assert clear.interval[1] < 0 < some(found.differences[2]).p


def test_one_mistake_less_than_none_is_no_lead(write_run: WriteRun) -> None:
    runs = [write_run("a", [0.5]), write_run("b", [0.5])]
    for run, wrong in zip(runs, (0, 1), strict=True):
        answered(run, wrong, n=30)

    assert accuracy_of(*read(*runs)).level == {1}


def test_other_samples_are_compared_by_their_intervals(write_run: WriteRun) -> None:
    runs = [write_run(name, [0.5]) for name in "abc"]
    for run, wrong in zip(runs, (100, 130, 500), strict=True):
        answered(run, wrong)
    for run in runs[1:]:
        (run.evaluation_folder("validation") / "predictions.npz").unlink()
    found = accuracy_of(*read(*runs))

    assert found.leader == 0
    assert found.level == {1}
    assert found.differences == (None, None, None)


def test_runs_on_other_data_have_no_leader(write_run: WriteRun) -> None:
    digits, iris = write_run("a", [0.5]), write_run("b", [0.5], values={"data": {"name": "iris"}})
    for run in (digits, iris):
        answered(run, 10)
    found = accuracy_of(*read(digits, iris))

    assert found.leader is None
    assert all(score is not None for score in found.scores)
    assert standings(grouped(read(digits)), "test") == []


def test_equal_scores_without_an_interval_share_the_lead(write_run: WriteRun) -> None:
    (entry,) = read(write_run("a", [0.5], accuracy=0.9))
    report = entry.reports["validation"]
    bare = type(report)(**{**report.to_dict(), "intervals": {}})
    entries = [
        Entry(each.summary, reports={"validation": bare})
        for each in read(write_run("b", [0.5]), write_run("c", [0.5]))
    ]
    rows = standings(grouped(entries), "validation")

    assert rows[0].scores[0] == Score(some(bare.metrics[rows[0].metric]))
    assert sorted(rows[0].leaders) == [0, 1], "equals share the lead"
    assert not rows[0].level


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((None, ""), (None, ""), ""),
        ((0.31, "recall of 0.95 or more"), (0.42, "recall of 0.95 or more"), ""),
        ((None, ""), (0.31, "highest F1"), "(the class that scores highest; highest F1)"),
        ((0.4, "highest F1"), (0.31, "precision of 0.9 or more"), "(highest F1; precision of 0.9 or more)"),
    ],
)
def test_thresholds_of_different_rules_are_told(
    write_run: WriteRun, first: tuple[float | None, str], second: tuple[float | None, str], words: str
) -> None:
    entries = []
    for name, (threshold, rule) in (("a", first), ("b", second)):
        answered(run := write_run(name, [0.5]), 3, n=20)
        (entry,) = read(run)
        report = replace(entry.reports["validation"], threshold=threshold, chosen_by=rule)
        entries.append(replace(entry, reports={"validation": report}))

    told = other_thresholds(entries, "validation")
    assert words in told
    assert bool(told) == bool(words)
