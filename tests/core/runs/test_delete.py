"""Deleting a run takes that run, all of it, and nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.errors import RunError, RunLocked
from core.runs.creating import create_run
from core.runs.delete import delete, folder_size
from core.runs.folder import Run, all_runs
from core.runs.lock import hold, missing_lock_warning
from tests.support.killed import die, in_a_killed_process
from tests.support.locks import refuse_locks


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with some files, beside another one."""
    for letter in "ab":
        path = tmp_path / "runs" / f"2026-01-01_0900_digits-mlp_{letter}"
        (path / "checkpoints").mkdir(parents=True)
        (path / "checkpoints" / "last.pt").write_bytes(b"x" * 1000)
        (path / "config.yaml").write_bytes(b"y" * 10)
    return Run(path)


def test_a_run_is_deleted_and_its_neighbour_is_not(run: Run) -> None:
    runs_dir = run.path.parent
    assert folder_size(run) == 1010
    delete(run)
    assert [left.name for left in runs_dir.iterdir()] == ["2026-01-01_0900_digits-mlp_a"]
    assert folder_size(Run(runs_dir / "2026-01-01_0900_digits-mlp_a")) == 1010


def test_a_run_that_is_trained_stays(run: Run) -> None:
    with hold(run), pytest.raises(RunLocked, match="is being trained"):
        delete(run)
    assert folder_size(run) > 1010
    delete(run)
    assert not run.path.exists()


@pytest.mark.parametrize("was_trained", [True, False])
def test_a_run_on_a_disk_without_locks_is_deleted(
    run: Run, monkeypatch: pytest.MonkeyPatch, was_trained: bool
) -> None:
    refuse_locks(monkeypatch)
    if was_trained:
        with hold(run):
            pass
        assert "from deleting it" in missing_lock_warning(run)
    delete(run)
    assert [left.id for left in all_runs(run.path.parent)] == ["2026-01-01_0900_digits-mlp_a"]


def test_a_pipe_in_the_place_of_the_lock_is_no_reason_to_wait(run: Run) -> None:
    os.mkfifo(run.lock_file)
    delete(run)
    assert not run.path.exists()


def test_nobody_begins_to_train_while_the_folder_moves(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with hold(run):
        pass
    rename = os.rename

    def train_then_rename(source: Path, target: Path) -> None:
        with pytest.raises(RunLocked), hold(run):
            pass
        rename(source, target)

    monkeypatch.setattr(os, "rename", train_then_rename)
    delete(run)
    assert not run.path.exists()


def test_links_are_not_followed(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("precious")
    (run.path / "link").symlink_to(kept)
    (run.path / "checkpoints" / "best.pt").symlink_to(kept / "file")
    (run.path / "run.lock").symlink_to(kept / "file")
    with pytest.raises(RunError, match="symbolic link"):
        delete(run)
    assert run.path.exists()
    (run.path / "run.lock").unlink()
    delete(run)
    assert (kept / "file").read_text() == "precious"
    assert not run.path.exists()


def test_a_link_to_a_run_is_refused(run: Run, tmp_path: Path) -> None:
    link = tmp_path / "runs" / "link"
    link.symlink_to(run.path)
    with pytest.raises(RunError, match="is a link or a file"):
        delete(Run(link))
    assert folder_size(run) == 1010
    with pytest.raises(RunError, match="No such file"):
        delete(Run(tmp_path / "runs" / "none"))


def test_a_folder_that_cannot_move_is_left_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(RunError, match=r"Device or resource busy\. Nothing of it was deleted"):
        delete(run)
    assert folder_size(run) == 1010
    assert len([*run.path.parent.iterdir()]) == 2


def half_deleted(run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what a process leaves that is killed while it deletes a run."""
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        in_a_killed_process(lambda: delete(run))
    (left,) = run.path.parent.glob(".deleted-*")
    assert {path.name for path in left.iterdir()} == {run.id, "owner.lock"}
    return left


def test_what_a_process_left_that_was_killed_while_it_deleted_goes_with_the_next_run(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs_dir = run.path.parent
    left = half_deleted(run, monkeypatch)
    assert [known.id for known in all_runs(runs_dir)] == ["2026-01-01_0900_digits-mlp_a"]
    made = create_run(runs_dir, TrainConfig())
    assert not left.exists()
    again = half_deleted(made, monkeypatch)
    delete(Run(runs_dir / "2026-01-01_0900_digits-mlp_a"))
    assert not again.exists()
    assert [*runs_dir.iterdir()] == []


def test_what_a_living_process_deletes_is_left_to_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rmtree = shutil.rmtree

    def create_meanwhile(path: Path) -> None:
        if path.name == run.id:
            create_run(run.path.parent, TrainConfig())
            assert path.is_dir()
        rmtree(path)

    monkeypatch.setattr(shutil, "rmtree", create_meanwhile)
    delete(run)
    assert [*run.path.parent.glob(".*")] == []


def test_a_link_with_the_name_of_a_leftover_is_not_followed(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "owner.lock").touch()
    (kept / "thesis.tex").touch()
    (run.path.parent / ".deleted-01234567").symlink_to(kept)
    delete(run)
    assert {path.name for path in kept.iterdir()} == {"owner.lock", "thesis.tex"}


def test_what_cannot_be_deleted_is_named_and_no_run_any_more(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(RunError, match=r"was only partly deleted: Permission denied.*\.deleted-"):
        delete(run)
    assert [left.id for left in all_runs(run.path.parent)] == ["2026-01-01_0900_digits-mlp_a"]
