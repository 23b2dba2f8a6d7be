"""The background process of a study on a disk without locks."""

import sys
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.files.lock import holder_of
from core.tuning.search.plan import make_plan
from core.tuning.study.study import create_study
from tests.support.locks import refuse_locks
from tui.runtime import study_process


def test_on_a_disk_without_locks_it_starts_and_is_asked_to_stop_through_the_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends when it is killed stands for the one that works on the study."""
    patient = tmp_path / "patient"
    patient.write_text("#!/bin/sh\nexec sleep 600\n")
    patient.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(patient))
    refuse_locks(monkeypatch)
    base = configuration.from_dict({"data": "iris"})
    study = create_study(tmp_path / "runs", make_plan(base, {"optimizer.lr": [1, 2]}))
    process = study_process.launch(study.folder, 1, None)
    try:
        assert holder_of(study.folder.path / "background.lock").startswith(f"process {process.pid} on ")
        assert not study_process.is_worked_on(study.folder)
        study_process.stop(study)
        assert study.last_stop != ""
        assert process.poll() is None  # whose number may be another process's by now is not sent a signal
    finally:
        process.kill()
        process.wait()
