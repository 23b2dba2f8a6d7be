"""A study in a list of runs shows what its best trial reached."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import RunError
from core.runs.folder import Run, minute_in
from core.runs.summary import RunSummary, began
from core.tuning.listed import StudyList, best_trial, summarise_study
from core.tuning.study.folder import StudyFolder, all_studies, note_started
from tests.support.written_runs import write_run


def trial(name: str, monitor: str = "loss", **metrics: Any) -> RunSummary:
    return RunSummary(
        Run(Path(name)), "completed", config={"loss": {"name": "mse"}}, monitor=monitor, metrics=metrics
    )


def best(*trials: RunSummary) -> str:
    found = best_trial(trials)
    return found.run.id if found else ""


def test_the_best_trial_is_that_with_the_best_monitored_value() -> None:
    assert best(trial("a", loss=0.3), trial("b", loss=0.2), trial("c", loss=float("nan"))) == "b"
    assert (
        best(trial("a", monitor="f1_macro", f1_macro=0.3), trial("b", monitor="f1_macro", f1_macro=0.2))
        == "a"
    )
    assert best(trial("a"), RunSummary(Run(Path("b")), "running")) == ""


def test_trials_with_different_losses_are_ranked_by_their_score() -> None:
    one = RunSummary(
        Run(Path("a")), "completed", config={"loss": {"name": "mse"}}, metrics={"loss": 0.1, "accuracy": 0.7}
    )
    other = RunSummary(
        Run(Path("b")),
        "completed",
        config={"loss": {"name": "hinge"}},
        metrics={"loss": 0.9, "accuracy": 0.8},
    )
    assert best(one, other) == "b"


def study(runs: Path, name: str, started: float | None = None) -> StudyFolder:
    folder = StudyFolder(runs / name)
    folder.trials_dir.mkdir(parents=True)
    if started is not None:
        note_started(folder, started)
    return folder


def test_a_study_started_when_it_was_made_not_when_its_minute_began(tmp_path: Path) -> None:
    name = "study_2026-11-22_0915_digits-mlp_k3f"
    minute = minute_in(name)
    assert minute is not None
    assert began(summarise_study(study(tmp_path, name, minute + 42.5))) == minute + 42.5


@pytest.mark.parametrize("written", [None, "", "soon", "nan", "-1", "1e400"])
def test_a_study_without_its_start_started_in_the_minute_of_its_name(
    tmp_path: Path, written: str | None
) -> None:
    folder = study(tmp_path, "study_2026-11-22_0915_digits-mlp_k3f")
    if written is not None:
        folder.started_file.write_text(written)
    assert began(summarise_study(folder)) == minute_in(folder.name)
    assert began(summarise_study(study(tmp_path, "study_by-hand"))) is None


def test_studies_of_one_minute_are_listed_by_their_starts(tmp_path: Path) -> None:
    minute = "study_2026-11-22_0915_iris-mlp_"
    first, second = study(tmp_path, f"{minute}zzz", 1e9), study(tmp_path, f"{minute}aaa", 1e9 + 0.5)
    assert [found.name for found in all_studies(tmp_path)] == [second.name, first.name]


def test_trials_that_cannot_be_read_stand_as_before_and_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = study(tmp_path, "study_2026-11-22_0915_iris-mlp_k3f", 1e9)
    write_run(folder.trials_dir, "2026-11-22_0915_iris-mlp_abc")
    listed = StudyList(tmp_path)
    (summary,) = listed.changes().values()
    assert (summary and summary.trials, listed.problems) == (1, {})

    def unreadable(runs_dir: Path) -> dict[str, str]:
        raise RunError(f"cannot read {runs_dir}: Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("core.runs.catalogue.run_places", unreadable)
        assert listed.changes() == {}
    problem = (
        f"cannot read {folder.trials_dir}: Permission denied; its trials are shown as they were seen last"
    )
    assert listed.problems == {folder.name: problem}
    assert (listed.changes(), listed.problems) == ({}, {})
