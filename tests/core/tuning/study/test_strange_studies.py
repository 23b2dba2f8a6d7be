"""Studies that were copied or moved, or come from somebody else: nothing outside their folder is used or touched."""

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from core.config import schema as configuration
from core.errors import RunError, StorageNotGiven
from core.runs.folder import Run
from core.tuning.executors.worker import _redirect
from core.tuning.search.plan import make_plan
from core.tuning.study.checkpoint_pruning import keep_best
from core.tuning.study.folder import StudyFolder, all_studies, folder_named
from core.tuning.study.storage import open_storage
from core.tuning.study.study import TuningStudy, create_study, open_study

KINDS = ("last", "previous", "best")


def new_study(runs_dir: Path) -> TuningStudy:
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    return create_study(runs_dir, make_plan(base, {"optimizer.lr": [0.1, 0.2]}, keep=1))


def record(study: TuningStudy, number: int, value: float, run: str) -> None:
    """Add a trial that completed in a run folder, as its storage has it."""
    result: dict[str, Any] = {"state": "completed", "value": value, "epochs": 1, "seconds": 1.0}
    marks = {"trial": number, "attempt": 0, "process": "x", "run": run}
    attributes = {**marks, "result": {**result, "reason": "", "curve": [value]}}
    study.optuna.add_trial(create_trial(state=TrialState.COMPLETE, value=value, user_attrs=attributes))


def run_with_checkpoints(path: Path) -> Run:
    run = Run(path)
    (path / "checkpoints").mkdir(parents=True)
    for kind in KINDS:
        run.checkpoint_file(kind).write_bytes(b"weights")
    return run


def has_checkpoints(run: Run) -> list[bool]:
    return [run.checkpoint_file(kind).exists() for kind in KINDS]


def test_a_copied_study_has_its_own_trials(tmp_path: Path) -> None:
    study = new_study(tmp_path / "mine")
    names = ["2026-01-01_0900_iris-mlp_abc", "2026-01-01_0900_iris-mlp_abd"]
    record(study, 0, 0.5, names[0])
    record(study, 1, 0.7, str(study.folder.trials_dir / names[1]))  # as version 0.1.0 wrote it
    originals = [run_with_checkpoints(study.folder.trials_dir / name) for name in names]
    shutil.copytree(tmp_path / "mine", tmp_path / "backup")
    copy = open_study(tmp_path / "backup", "latest")
    records = copy.records()
    assert [found.run for found in records] == [copy.folder.trials_dir / name for name in names]
    assert keep_best(copy.plan, records, set()) == []
    assert [has_checkpoints(run) for run in originals] == [[True] * 3] * 2
    copies = [Run(copy.folder.trials_dir / name) for name in names]
    assert [has_checkpoints(run) for run in copies] == [[True] * 3, [False] * 3]


def test_a_strangers_study_removes_nothing_elsewhere(tmp_path: Path) -> None:
    """By a path, by a path with dots, by a link in the place of a trial, and by one inside a trial."""
    victim = run_with_checkpoints(tmp_path / "victim")
    study = new_study(tmp_path / "runs")
    trials = study.folder.trials_dir
    (trials / "linked").symlink_to(victim.path)
    (trials / "within").mkdir()
    (trials / "within" / "checkpoints").symlink_to(victim.path / "checkpoints")
    paths = ["best", str(victim.path), "../../../victim", "..", ".", "", "linked", "within"]
    for number, path in enumerate(paths):
        record(study, number, float(number), path)
    records = study.records()
    assert all(found.run is None or found.run.parent == trials for found in records)
    (problem,) = keep_best(study.plan, records, set())
    assert "is a link" in problem
    assert has_checkpoints(victim) == [True] * 3


@pytest.mark.parametrize(
    "name", ["study.db", "background.lock", "console.log", "storage.txt", "processes", "trials"]
)
def test_a_study_with_a_link_in_it_is_refused(tmp_path: Path, name: str) -> None:
    folder = new_study(tmp_path / "runs").folder
    own = folder.path / name
    target = tmp_path / "target"
    if own.exists():
        own.rename(target)
    else:
        target.write_text("of the user's")
    own.symlink_to(target)
    with pytest.raises(RunError, match=f"{name} is a link, a pipe or a device"):
        open_study(tmp_path / "runs", "latest")


def test_a_study_with_a_pipe_in_the_place_of_its_storage_is_refused(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "runs").folder
    folder.database.unlink()
    os.mkfifo(folder.database)
    with pytest.raises(RunError, match="is a link, a pipe or a device"):
        open_study(tmp_path / "runs", "latest")


def test_a_link_is_not_a_study(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "elsewhere").folder
    (tmp_path / "runs").mkdir()
    link = tmp_path / "runs" / folder.name
    link.symlink_to(folder.path)
    assert all_studies(tmp_path / "runs") == []
    for find in (lambda: open_study(tmp_path, str(link)), lambda: folder_named(tmp_path / "runs", link.name)):
        with pytest.raises(RunError, match="is a link"):
            find()


@pytest.mark.parametrize("name", ["..", "study_x/../..", "2026-01-01_0900_x"])
def test_a_storage_names_no_folder_but_those_of_studies(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="is not the name of a study"):
        folder_named(tmp_path, name)


def test_what_a_folder_names_as_its_storage_is_not_opened_unasked(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "runs" / "study_2026-01-01_0900_x_abc")
    folder.trials_dir.mkdir(parents=True)
    made = tmp_path / "made.db"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        for url in (f"postgresql://anyone:pw@127.0.0.1:{port}/optuna", f"sqlite:///{made}"):
            folder.storage_file.write_text(url)
            for reference in ("latest", str(folder.path)):
                with pytest.raises(StorageNotGiven, match="is not opened without being asked for") as refused:
                    open_study(tmp_path / "runs", reference)
                assert "pw" not in str(refused.value)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not made.exists()


def test_a_worker_does_not_write_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("of the user's")
    link = tmp_path / "console.log"
    link.symlink_to(target)
    kept = [os.dup(1), os.dup(2)]
    try:
        _redirect(link)
        os.write(1, b"what a trial prints")
    finally:
        for handle, number in zip(kept, (1, 2), strict=True):
            os.dup2(handle, number)
            os.close(handle)
    assert target.read_text() == "of the user's"


@pytest.mark.parametrize(
    "secret", ["s3cret@", "me:s3cret@", "h?sslpassword=s3cret&host=", "h?x=1&token=s3cret&host="]
)
def test_a_storage_that_cannot_be_reached_is_named_without_secrets(
    tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **options: object) -> None:
        raise RuntimeError('FATAL:  password authentication failed for user "s3cret"')

    monkeypatch.setattr("core.tuning.study.storage.RDBStorage", refuse)
    with pytest.raises(
        RunError, match=r"cannot open the study's storage postgresql.*for user \*\*\*"
    ) as caught:
        open_storage(f"postgresql://{secret}127.0.0.1/studies")
    assert "s3cret" not in str(caught.value)
