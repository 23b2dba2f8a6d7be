"""The background process of a study: its lock, its output, and who is asked to stop."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from core.config import schema as configuration
from core.errors import InputError, RunError
from core.files.console import older_part
from core.files.lock import FileLock, holder_of
from core.tuning.executors.where import Where
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.study import create_study
from tests.support.killed import in_a_killed_process
from tests.support.locks import refuse_locks
from tui.headless import tune
from tui.runtime import study_process


def test_on_a_disk_without_locks_it_starts_and_is_asked_to_stop_through_the_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends when it is killed stands for the one that works on the study."""
    monkeypatch.setattr(study_process, "TUI_COMMAND", ["sh", "-c", "exec sleep 600"])
    refuse_locks(monkeypatch)
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    study = create_study(tmp_path / "runs", make_plan(base, {"optimizer.lr": [1, 2]}))
    process = study_process.launch(study.folder, Where(jobs=1), None)
    try:
        assert holder_of(study.folder.path / "background.lock").startswith(f"process {process.pid} on ")
        assert not study_process.is_worked_on(study.folder)
        study_process.stop(study)
        assert study.last_stop != ""
        assert process.poll() is None  # whose number may be another process's by now is not sent a signal
    finally:
        process.kill()
        process.wait()


def test_a_process_that_has_only_begun_to_start_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not look into the storage yet, and gets a signal: here it stays so for ever."""
    monkeypatch.setattr(study_process, "TUI_COMMAND", ["sh", "-c", "exec sleep 600"])
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    study = create_study(tmp_path / "runs", make_plan(base, {"optimizer.lr": [1, 2]}))
    process = study_process.launch(study.folder, Where(jobs=1), None)
    try:
        study_process.stop(study)
        assert process.wait(600) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()


def study_folder(tmp_path: Path) -> StudyFolder:
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    return create_study(tmp_path / "runs", make_plan(base, {"optimizer.lr": [1, 2]})).folder


@pytest.mark.parametrize("name", ["background.lock", "console.log"])
def test_it_writes_nothing_through_a_link(tmp_path: Path, name: str) -> None:
    folder, target = study_folder(tmp_path), tmp_path / "target"
    target.write_text("of the user's")
    (folder.path / name).symlink_to(target)
    with pytest.raises(RunError, match="it is a link"):
        study_process.launch(folder, Where(jobs=1), None)
    assert target.read_text() == "of the user's"
    assert study_process.last_words(folder) == ""


def test_only_the_process_that_holds_the_lock_is_sent_a_signal(tmp_path: Path) -> None:
    """This process stands for the one at work; its parent for any other process that a stranger could name."""
    path = study_folder(tmp_path).path / "background.lock"
    own, parent = psutil.Process(), psutil.Process(os.getppid())
    with FileLock(os.open(path, os.O_RDWR | os.O_CREAT)) as lock:
        study_process._name_holder(lock, own.pid)
        assert study_process._holder(path) == own
        said = path.read_text()
        study_process._name_holder(lock, parent.pid)
        assert study_process._holder(path) is None  # it does not have the file open
        started = f"{own.create_time() - 5:.2f}"
        for text in (
            said.replace(f"{own.create_time():.2f}", started),  # an earlier process of this number
            said.partition("\n")[0],  # no start
            said.replace(" on ", " on another-"),
            "process 99999999 on here\nstarted 1.00",
            "x" * 10000,
        ):
            path.write_text(text)
            assert study_process._holder(path) is None
        path.write_text(said)
        assert study_process._holder(path) == own
    assert study_process._holder(path) is None  # nobody holds the lock


def test_its_output_is_kept_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.files.console.MAX_BYTES", 100)
    monkeypatch.setattr("core.files.console.LOOK_SECONDS", 0.01)
    folder = study_folder(tmp_path)
    console = study_process.console_file(folder)

    def print_much(*given: Any, **named: Any) -> None:
        os.write(1, b"line\n" * 100)
        while os.fstat(1).st_size:
            pass
        raise InputError("printed enough")

    def work() -> None:
        """Tune without processes for trials: a fork cannot use the server of them that this process may have."""
        executor = SimpleNamespace(slots=1, close=lambda: None)
        monkeypatch.setattr(tune, "_executor", lambda *given: executor)
        monkeypatch.setattr(tune, "work_on", print_much)
        os.dup2(os.open(console, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        asked = tune.Asked(None, str(folder.path), 60, None, Where(jobs=1), tmp_path / "runs", None)
        with pytest.raises(InputError, match="enough"):
            tune.tune(asked, as_json=True, quiet=False)

    in_a_killed_process(work)
    assert older_part(console).read_bytes() == b"line\n" * 20
