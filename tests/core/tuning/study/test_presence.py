"""Processes at work on a study are known by their locks or, where there are none, by a counter."""

import os
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.tuning.search.plan import make_plan
from core.tuning.study.presence import SILENT_SECONDS, Presence
from core.tuning.study.storage import BUSY_SECONDS, file_url
from core.tuning.study.study import TuningStudy, create_study, open_study
from tests.support.locks import refuse_locks


def new_study(runs_dir: Path) -> TuningStudy:
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    return create_study(runs_dir, make_plan(base, {"optimizer.lr": [0.1, 0.2]}))


def test_on_a_disk_without_locks_a_process_is_gone_when_its_counter_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(monkeypatch)
    study, now = new_study(tmp_path), [0.0]
    killed = Presence(study.folder, study.optuna, clock=lambda: now[0])
    living = Presence(study.folder, study.optuna, clock=lambda: now[0])
    assert "has no locks" in living.missing_lock_warning()
    assert not living.is_gone(killed.name)
    assert not killed.is_gone(living.name)
    now[0] = SILENT_SECONDS + 1
    living.beat()
    assert living.is_gone(killed.name)
    assert not killed.is_gone(living.name)


def test_where_there_are_locks_nobody_is_warned(tmp_path: Path) -> None:
    study = new_study(tmp_path)
    presence = Presence(study.folder, study.optuna)
    assert presence.missing_lock_warning() == ""
    presence.close()


@pytest.mark.parametrize(("age", "stays"), [(BUSY_SECONDS / 2, True), (BUSY_SECONDS * 2, False)])
def test_what_a_killed_process_left_on_a_disk_without_locks_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, stays: bool
) -> None:
    refuse_locks(monkeypatch)
    study = new_study(tmp_path / "50 %?#")  # a path that must be quoted in the URL
    study.optuna.set_user_attr("mark", 1)
    marker = study.folder.database.with_name("study.db.lock")
    assert not marker.exists()
    assert open_study(study.folder.path.parent, study.name).optuna.user_attrs["mark"] == 1
    marker.mkdir()
    before = marker.stat().st_mtime - age
    os.utime(marker, (before, before))
    file_url(study.folder.database)
    assert marker.exists() == stays
