"""Arrays of workers for a study: what is submitted, and what is cancelled."""

from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.slurm.settings import SlurmSettings
from core.tuning.search.plan import make_plan
from core.tuning.study.study import create_study
from tests.support.slurm_answers import stand_in
from tui.runtime.study_jobs import cancel_waiting, submit_workers


def test_workers_are_submitted_and_those_that_wait_are_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sbatch", "31\n")
    study = create_study(
        tmp_path / "runs", make_plan(TrainConfig(), {"optimizer.lr": {"choices": [0.1, 0.2]}}, trials=2)
    )
    assert submit_workers(study, SlurmSettings(partition="gpu"), 4, tmp_path, seconds=60.0) == "31"
    script = (study.folder.path / "job.sh").read_text()
    assert "#SBATCH --array=1-4\n" in script
    assert (
        f"tune --no-ui --resume {study.name} --runs {study.folder.path.parent} --data-root {tmp_path} --timeout 60"
        in script
    )
    assert cancel_waiting(study.folder) == 1
    assert (tmp_path / "bin" / "scancel.asked").read_text() == "--state=PENDING 31\n"
    assert cancel_waiting(study.folder) == 0
