"""The test split of a run, before and after somebody has opened it."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.events import EvaluationFinished, Event, RunFinished, to_json
from core.runs.catalogue import Catalogue
from core.runs.folder import Run
from core.runs.opening import is_test_open, record_test_opening
from core.runs.summary import RunSummary, summarise
from tests.core.runs.test_runs import started


def write_log(run: Run, events: Sequence[Event]) -> None:
    run.log_file.write_text("".join(to_json(event, run.id) + "\n" for event in events))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A complete run that was evaluated on both splits."""
    run = Run(tmp_path / "2026-01-01_0900_iris-mlp_abc")
    run.path.mkdir()
    events = [
        EvaluationFinished(time=3.0, split=split, metrics={"accuracy": 0.5})
        for split in ("validation", "test")
    ]
    write_log(run, [started(time=1.0), *events, RunFinished(time=4.0, status="completed")])
    return run


def test_numbers_of_test_are_shown_once_it_was_opened_on_purpose(run: Run) -> None:
    assert not is_test_open(run)
    assert [*summarise(run).shown_evaluation] == ["validation"]
    record_test_opening(run, {"accuracy": 0.25, "mcc": None})
    summary = summarise(run)
    assert summary.test_opened
    assert summary.shown_evaluation["test"] == {"accuracy": 0.25, "mcc": None}, "as it was opened last"


def test_lists_notice_that_test_was_opened(run: Run) -> None:
    catalogue = Catalogue(run.path.parent)
    assert [*catalogue.changes()]
    record_test_opening(run, {"accuracy": 0.5})
    (changed,) = catalogue.changes()
    found = changed[run.id]
    assert found is not None
    assert found.test_opened


def test_a_session_after_the_opening_has_other_numbers(run: Run) -> None:
    record_test_opening(run, {"accuracy": 0.25})
    later = os.path.getmtime(run.opened_file) + 10
    write_log(run, [started(time=later, epoch=1), RunFinished(time=later, status="completed")])
    assert summarise(run).shown_evaluation == {}
    assert summarise(run).test_opened


@pytest.mark.parametrize("text", ["", "[]", '{"metrics": 3, "time": 1}', '{"metrics": {"a": []}, "time": 1}'])
def test_a_damaged_note_counts_as_opened(run: Run, text: str) -> None:
    run.opened_file.write_text(text)
    assert summarise(run).shown_evaluation["test"] == {"accuracy": 0.5}


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    record_test_opening(Run(tmp_path / "gone"), {})
    assert not is_test_open(Run(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("splits", "shown"), [(["test"], ["test"]), (["validation", "test"], ["validation"]), ([], [])]
)
def test_a_script_shows_test_where_it_evaluated_nothing_else(splits: list[str], shown: list[str]) -> None:
    summary = RunSummary(
        Run(Path("r")),
        "completed",
        config={"script": {"name": "train.py"}},
        evaluation={split: {"accuracy": 0.5} for split in splits},
    )
    assert [*summary.shown_evaluation] == shown
