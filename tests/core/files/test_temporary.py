"""Unfinished files have hidden names, and are removed when their owner is gone, and not before."""

import errno
import os
import time
from pathlib import Path

import pytest

from core.errors import RunError
from core.files.atomic import creating, write_atomically
from core.files.temporary import OLD_SECONDS, hidden_file, hidden_folder, sweep_files
from tests.support.killed import die, in_a_killed_process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def enter(folder: Path) -> None:
    """Make a hidden folder with something in it, and die there."""
    with hidden_folder(folder, ".work-") as made:
        (made / "half").write_text("half")
        die()


def test_the_file_of_a_killed_process_is_removed_by_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    in_a_killed_process(lambda: hidden_file(path, 0o666))
    assert len(names(tmp_path)) == 1
    write_atomically(path, lambda file: file.write(b"whole"))
    assert (names(tmp_path), path.read_bytes()) == (["report.json"], b"whole")


def test_the_file_of_a_living_process_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    made, handle = hidden_file(path, 0o666)
    write_atomically(path, lambda file: file.write(b"whole"))
    assert names(tmp_path) == sorted([made.name, "report.json"])
    os.close(handle)
    sweep_files(path)
    assert names(tmp_path) == ["report.json"]


def test_only_what_has_exactly_such_a_name_is_removed(tmp_path: Path) -> None:
    kept = [".other.json.01234567.tmp", ".report.json.mine.tmp", "report.json.01234567.tmp", ".report.json"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / ".report.json.01234567.tmp").symlink_to(tmp_path / kept[0])
    os.mkfifo(tmp_path / ".report.json.76543210.tmp")
    sweep_files(tmp_path / "report.json")
    assert names(tmp_path) == sorted([*kept, ".report.json.01234567.tmp", ".report.json.76543210.tmp"])


def test_the_folder_of_a_killed_process_is_removed_by_the_next_one(tmp_path: Path) -> None:
    in_a_killed_process(lambda: enter(tmp_path))
    (left,) = tmp_path.iterdir()
    with hidden_folder(tmp_path, ".work-") as made:
        assert names(tmp_path) == [made.name]
        assert made != left
        with hidden_folder(tmp_path, ".work-") as second:
            assert names(tmp_path) == sorted([made.name, second.name])
    assert names(tmp_path) == []


def test_a_process_that_is_killed_while_it_removes_a_folder_leaves_one_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_and_die_at_the_end() -> None:
        with hidden_folder(tmp_path, ".work-") as made:
            (made / "inner").mkdir()
            (made / "inner" / "file").touch()
            monkeypatch.setattr(Path, "unlink", die)  # of the lock

    in_a_killed_process(fill_and_die_at_the_end)
    (left,) = tmp_path.iterdir()
    assert names(left) == ["owner.lock"]
    with hidden_folder(tmp_path, ".work-"):
        pass
    assert names(tmp_path) == []


def test_a_folder_without_our_lock_is_somebodys_own(tmp_path: Path) -> None:
    own = tmp_path / ".work-01234567"
    own.mkdir()
    (own / "thesis.tex").touch()
    os.utime(own, (0, 0))
    with hidden_folder(tmp_path, ".work-"):
        pass
    assert names(own) == ["thesis.tex"]


def test_an_empty_folder_goes_when_it_is_old(tmp_path: Path) -> None:
    """Its process was killed before it could lock it."""
    for name in (".work-00000000", ".work-11111111"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".work-00000000", (0, 0))
    with hidden_folder(tmp_path, ".work-"):
        pass
    assert names(tmp_path) == [".work-11111111"]


def test_a_file_that_is_taken_for_left_behind_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is swept in the moment between its creation and its lock."""
    path, opened = tmp_path / "report.json", os.open
    swept: list[Path] = []

    def open_and_sweep(name: Path, *how: int) -> int:
        handle = opened(name, *how)
        if not swept and str(name).endswith(".tmp"):
            swept.append(name)
            sweep_files(path)
        return handle

    monkeypatch.setattr("core.files.temporary.os.open", open_and_sweep)
    made, handle = hidden_file(path, 0o666)
    os.close(handle)
    assert (names(tmp_path), len(swept)) == ([made.name], 1)
    assert made != swept[0]


def test_a_disk_without_locks_keeps_what_is_not_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("core.files.temporary.fcntl.flock", refuse)
    path = tmp_path / "report.json"
    made, handle = hidden_file(path, 0o666)
    os.close(handle)
    sweep_files(path)
    assert names(tmp_path) == [made.name]
    old = time.time() - OLD_SECONDS - 60
    os.utime(made, (old, old))
    sweep_files(path)
    assert names(tmp_path) == []


def test_a_name_is_on_the_disk_after_its_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut after that finds the new file under its name, and its folder."""
    synced: list[str] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_atomically(tmp_path / "new" / "last.pt", lambda file: file.write(b"state"))
    parent, file, folder = synced
    assert (parent, folder) == (tmp_path.name, "new")
    assert file.startswith(".last.pt.")


def test_a_disk_that_cannot_sync_folders_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def refuse(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    write_atomically(tmp_path / "last.pt", lambda file: file.write(b"state"))
    assert (tmp_path / "last.pt").read_bytes() == b"state"


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(RunError, match="cannot write"), creating(gone), hidden_folder(gone, ".work-"):
        pass
