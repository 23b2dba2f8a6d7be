"""Counts of the classes are logged, read, and made into curves."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.events import EpochFinished, Event, RunStarted
from core.runs.folder import Run
from core.runs.history.class_history import class_history, counts_to_log
from core.runs.log import EventLog
from core.tasks.base import Counted
from core.tasks.label_scores import LabelTally
from core.tasks.tallies import MAX_CLASSES, ClassTally
from tui.charts.evaluation.class_curves import class_curves_chart, worst_first


def started(classes: list[str], epoch: int = 0) -> Event:
    return RunStarted(
        config={},
        task="multiclass",
        samples={},
        classes=classes,
        sample_shape=[4],
        parameters=5,
        device="cpu",
        threads=1,
        epochs=3,
        steps_per_epoch=1,
        epoch=epoch,
        step=epoch,
    )


def finished(epoch: int, **counts: Any) -> Event:
    metrics = {"loss": 1.0}
    return EpochFinished(
        epoch=epoch,
        step=epoch,
        train=metrics,
        validation=metrics,
        lr=0.1,
        seconds=1.0,
        best_epoch=1,
        best_metrics=metrics,
        **counts,
    )


def logged(folder: Path, *events: Event) -> Run:
    run = Run(folder / "run")
    run.path.mkdir()
    log = EventLog(run)
    for event in events:
        log.write(event)
    log.close()
    return run


def test_epochs_done_again_count_once_and_ragged_ones_not_at_all(tmp_path: Path) -> None:
    run = logged(
        tmp_path,
        started(["a", "b"]),
        finished(1, confusion=[[3, 1], [2, 4]]),
        finished(2, confusion=[[0, 4], [0, 6]]),
        started(["a", "b"], epoch=1),
        finished(2, confusion=[[4, 0], [0, 6]]),
        finished(3, confusion=[[4, 0], [0]]),
        finished(4, class_counts=[[1, 2], [3]]),
    )
    found = class_history(run)
    assert found.names == ["a", "b"]
    assert found.epochs.tolist() == [1, 2]
    assert found.best == 0
    np.testing.assert_allclose(found.counts.recall, [[3 / 4, 4 / 6], [1.0, 1.0]])
    np.testing.assert_allclose(found.counts.precision, [[3 / 5, 4 / 5], [1.0, 1.0]])
    np.testing.assert_allclose(found.counts.f1[0], [2 * 3 / 9, 2 * 4 / 11])


def test_many_classes_log_their_counts_and_more_nothing(tmp_path: Path) -> None:
    targets = torch.arange(MAX_CLASSES).repeat(2)
    tally = ClassTally()
    tally.add(torch.nn.functional.one_hot(targets.flip(0), MAX_CLASSES).float(), targets, None)
    score, counted = tally.read(targets, None, MAX_CLASSES, lambda values: values)
    assert score == 0.0
    given = counts_to_log(counted)
    assert [*given] == ["class_counts"]
    found = class_history(logged(tmp_path, started([]), finished(1, **given)))
    np.testing.assert_array_equal(found.counts.recall, np.zeros((1, MAX_CLASSES)))
    np.testing.assert_array_equal(found.counts.support, np.full((1, MAX_CLASSES), 2))
    tally = ClassTally()
    tally.add(torch.eye(MAX_CLASSES + 1), torch.arange(MAX_CLASSES + 1), None)
    whole = torch.arange(MAX_CLASSES + 1)
    assert tally.read(whole, None, MAX_CLASSES + 1, lambda values: values) == (1.0, Counted())
    assert counts_to_log(Counted([[5]])) == {"confusion": [[5]], "class_counts": []}


def test_labels_log_the_counts_of_each_at_the_usual_threshold(tmp_path: Path) -> None:
    targets = torch.tensor([[1, 0], [1, 1], [0, 0]])
    tally = LabelTally(0.5)
    tally.add(torch.tensor([[0.9, 0.6], [0.2, 0.7]]), targets[:2], torch.tensor([2.0, 1.0]))
    tally.add(torch.tensor([[0.6, 0.1]]), targets[2:], torch.tensor([1.0]))
    score, counted = tally.read(targets, None, 2, lambda values: values)
    assert score == 2 * 3 / (4 + 6)  # weighted; the counts are of samples
    found = class_history(logged(tmp_path, started(["a", "b"]), finished(1, **counts_to_log(counted))))
    np.testing.assert_array_equal(found.counts.hits, [[1, 1]])
    np.testing.assert_array_equal(found.counts.support, [[2, 1]])
    np.testing.assert_array_equal(found.counts.predicted, [[2, 2]])


def test_runs_without_counts_have_no_epochs(tmp_path: Path) -> None:
    found = class_history(logged(tmp_path, started(["a", "b"]), finished(1)))
    assert not found.epochs.size


def test_the_worst_classes_come_first_and_keep_their_gaps(tmp_path: Path) -> None:
    run = logged(
        tmp_path,
        started(["[b]good[/]", "never", "bad"]),
        finished(1, confusion=[[4, 0, 0], [0, 0, 0], [3, 0, 1]]),
        finished(2, confusion=[[4, 0, 0], [0, 0, 0], [4, 0, 0]]),
    )
    found = class_history(run)
    order = worst_first(found)
    assert order == [2, 0, 1], "one that is neither there nor predicted has no F1"
    chart = class_curves_chart(found, "precision", [2, 0], order)
    assert [series.label for series in chart.series] == ["bad", "[b]good[/]"]
    np.testing.assert_array_equal(chart.series[0].y, [1.0, np.nan])
    assert [mark.x for mark in chart.marks] == [1.0]
    assert not class_curves_chart(found, "f1", [], order).marks
