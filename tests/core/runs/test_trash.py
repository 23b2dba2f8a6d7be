"""The trash: what goes into it, what does not, and what comes back."""

import os
from pathlib import Path

import pytest

from core.errors import RunError, RunLocked
from core.files.lock import FileLock
from core.runs.folder import Run, all_runs
from core.runs.lock import hold
from core.runs.trash import discard, empty_trash, find_trashed, new_batch, restore, trashed
from core.tuning.listed import StudyList
from core.tuning.study.folder import all_studies
from tests.support.written_runs import write_run


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return [write_run(tmp_path, f"2026-01-0{day}_0900_digits-mlp_{'abc'[day - 1] * 3}") for day in (1, 2, 3)]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of two trials, as far as its folder shows."""
    folder = tmp_path / "study_2026-01-04_0900_iris-mlp_k3f"
    (folder / "processes").mkdir(parents=True)
    (folder / "processes" / "one").touch()
    for letters in ("ttt", "uuu"):
        write_run(folder / "trials", f"2026-01-04_0901_iris-mlp_{letters}", {"data": "iris"})
    return folder


def test_runs_that_were_deleted_together_come_back_together(tmp_path: Path, runs: list[Run]) -> None:
    first, second = new_batch(tmp_path), new_batch(tmp_path)
    discard(runs[0], first)
    discard(runs[1], second)
    discard(runs[2], second)
    assert all_runs(tmp_path) == []
    assert {found.run.id for found in trashed(tmp_path)} == {run.id for run in runs}
    assert restore(find_trashed(tmp_path, "aaa")) == runs[0]
    for found in trashed(tmp_path):
        restore(found)
    assert {run.id for run in all_runs(tmp_path)} == {run.id for run in runs}
    assert trashed(tmp_path) == []
    assert not any((tmp_path / ".trash").iterdir())


def test_a_run_that_is_trained_and_a_link_are_left_alone(tmp_path: Path, runs: list[Run]) -> None:
    batch = new_batch(tmp_path)
    with hold(runs[0]), pytest.raises(RunLocked, match="is being trained"):
        discard(runs[0], batch)
    link = tmp_path / "link"
    link.symlink_to(runs[1].path)
    with pytest.raises(RunError, match="is a link"):
        discard(Run(link), batch)
    with pytest.raises(RunError, match="No such file"):
        discard(Run(tmp_path / "gone"), batch)
    assert trashed(tmp_path) == []
    assert len(all_runs(tmp_path)) == 3


def test_a_study_goes_whole_and_not_while_a_process_works_on_it(tmp_path: Path, study: Path) -> None:
    batch = new_batch(tmp_path)
    with pytest.raises(RunError, match="is part of a study"):
        discard(Run(next((study / "trials").iterdir())), batch)
    lock = FileLock(os.open(study / "processes" / "one", os.O_RDWR))
    with pytest.raises(RunLocked, match="a process works on"):
        discard(Run(study), batch)
    lock.close()
    discard(Run(study), batch)
    assert all_studies(tmp_path) == []
    restore(trashed(tmp_path)[0])
    assert len(all_runs(study / "trials")) == 2


def test_the_trash_is_emptied_on_purpose(tmp_path: Path, runs: list[Run], study: Path) -> None:
    for run in (runs[0], Run(study)):
        discard(run, new_batch(tmp_path))
    assert empty_trash(tmp_path) == 2
    assert trashed(tmp_path) == []
    assert len(all_runs(tmp_path)) == 2


def test_what_has_the_name_now_is_not_overwritten(tmp_path: Path, runs: list[Run]) -> None:
    discard(runs[0], new_batch(tmp_path))
    runs[0].path.mkdir()
    with pytest.raises(RunError, match="something else has its name"):
        restore(trashed(tmp_path)[0])
    assert len(trashed(tmp_path)) == 1


def test_a_trash_that_leads_elsewhere_is_refused(tmp_path: Path, runs: list[Run]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".trash").symlink_to(elsewhere)
    with pytest.raises(RunError, match="is not a folder"):
        discard(runs[0], new_batch(tmp_path))
    assert list(elsewhere.iterdir()) == []
    assert trashed(tmp_path) == []


def test_studies_are_listed_from_their_folders_alone(tmp_path: Path, study: Path) -> None:
    studies = StudyList(tmp_path)
    (found,) = studies.changes().values()
    assert found is not None
    assert (found.trials, found.status, found.data, found.study) == (2, "completed", "iris", study.name)
    assert studies.changes() == {}
    lock = FileLock(os.open(study / "processes" / "one", os.O_RDWR))
    (found,) = studies.changes().values()
    assert found is not None
    assert found.status == "running"
    lock.close()
    study.rename(tmp_path / "elsewhere")
    assert studies.changes() == {study.name: None}
