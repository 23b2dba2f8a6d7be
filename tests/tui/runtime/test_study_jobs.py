"""Arrays of workers for a study: what is submitted, and what is cancelled."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.slurm.settings import SlurmSettings
from core.tuning.listed import summarise_study
from core.tuning.search.plan import make_plan
from core.tuning.study.presence import Presence
from core.tuning.study.study import create_study
from tests.support.slurm_answers import stand_in
from tui.runtime.study_follower import Follower
from tui.runtime.study_jobs import cancel_waiting, submit_workers
from tui.runtime.study_queue import lost_workers, queue_text, waiting_studies, workers, workers_now


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
    answer("squeue", "31_1|PENDING|Priority|N/A||0:00|1:00|gpu\n31_2|PENDING|Priority|N/A||0:00|1:00|gpu\n")
    (line,) = waiting_studies(tmp_path / "runs")
    assert line.startswith(f"{study.name}  pending  job 31 waits behind jobs of higher priority (Priority)")
    assert summarise_study(study.folder).status == "pending"
    standing = Follower(tmp_path / "runs", study.name).look()
    assert standing.status == "pending"
    with closing(Presence(study.folder, study.optuna)):  # the first one has started
        assert summarise_study(study.folder).status == "running"
        assert waiting_studies(tmp_path / "runs") == []
    assert cancel_waiting(study.folder) == 1
    assert (tmp_path / "bin" / "scancel.asked").read_text() == "--state=PENDING 31\n"
    assert cancel_waiting(study.folder) == 0
    assert waiting_studies(tmp_path / "runs") == []
    assert summarise_study(study.folder).status == "completed"


def test_all_arrays_of_a_study_are_known_until_they_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    study = create_study(
        tmp_path / "runs", make_plan(TrainConfig(), {"optimizer.lr": {"choices": [0.1, 0.2]}}, trials=2)
    )
    for array in ("31", "32"):
        answer("sbatch", f"{array}\n")
        submit_workers(study, SlurmSettings(), 1, None)
        answer("squeue", "31_1|RUNNING|None|9||0:05|1:00|gpu\n32_1|PENDING|Priority|N/A||0:00|1:00|gpu\n")
    assert [job.id for job in workers(study.folder)] == ["31", "32"]
    standing = Follower(tmp_path / "runs", study.name).look()
    assert (standing.status, [job.state for job in standing.jobs]) == ("pending", ["RUNNING", "PENDING"])
    assert queue_text(study.folder).endswith(", and 1 more job")
    assert cancel_waiting(study.folder) == 2
    assert [job.id for job in workers(study.folder)] == ["31"], "what runs saves and stops by itself"
    answer("squeue", "31_1|COMPLETED|None|9|n1|0:05|1:00|gpu\n")
    answer("scontrol", "JobId=31 JobState=COMPLETED Reason=None ExitCode=0:0 Partition=gpu\n")
    assert waiting_studies(tmp_path / "runs") == []
    assert workers(study.folder) == ()


def test_a_study_whose_workers_have_failed_says_what_they_printed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    study = create_study(
        tmp_path / "runs", make_plan(TrainConfig(), {"optimizer.lr": {"choices": [0.1, 0.2]}}, trials=2)
    )
    answer("sbatch", "31\n")
    submit_workers(study, SlurmSettings(), 2, None)
    failed = "31_1|FAILED|NonZeroExitCode|9|n1|0:05|1:00|gpu\n"
    answer("squeue", failed + failed.replace("31_1", "31_2"))
    answer("scontrol", "JobState=FAILED Reason=NonZeroExitCode StartTime=9 NodeList=n1 ExitCode=1:0\n")
    (study.folder.path / "worker-31_2.log").write_text(
        "Traceback\nModuleNotFoundError: No module named 'tui'\n"
    )
    other = study.folder.path / "worker-30_1.log"  # an earlier job, which wrote last
    other.write_text("ValueError: of another job\n")
    os.utime(other, (4e9, 4e9))
    standing = Follower(tmp_path / "runs", study.name).look()
    assert standing.status == "failed"
    assert standing.lost == (
        "job 31 of its workers exited with code 1 (FAILED, NonZeroExitCode): "
        "ModuleNotFoundError: No module named 'tui'"
    )
    removed = study.folder.path / "worker-31_1.log"
    removed.symlink_to("removed meanwhile")
    assert lost_workers(study.folder) == standing.lost
    removed.unlink()
    assert (tmp_path / "bin" / "scontrol.asked").read_text() == "--oneliner show job 31_1\n"
    answer("sbatch", "32\n")
    submit_workers(study, SlurmSettings(), 2, None)
    assert lost_workers(study.folder) == "", "others wait"
    failed = failed.replace("31_1", "32_1")
    answer("squeue", failed + failed.replace("32_1|FAILED|NonZeroExitCode", "32_2|COMPLETED|None"))
    answer("scontrol", "JobState=COMPLETED Reason=None StartTime=9 NodeList=n1 ExitCode=0:0\n")
    assert workers_now(study.folder) == ()
    assert lost_workers(study.folder) == "", "one has done what was left, or was asked to stop"
