"""Forecasts of what a job would meet, asked before it is submitted: in the words of ``sbatch --test-only``."""

import threading
import time
from pathlib import Path

import pytest

from core.errors import RunError
from core.slurm import commands
from core.slurm.commands import Withdrawn
from core.slurm.forecast import Forecast, forecast
from core.slurm.settings import SlurmSettings
from tests.support.slurm_answers import stand_in

GPU = SlurmSettings(partition="gpu", gpus_per_node=2, time="4:00:00")


def never() -> bool:
    return False


def test_says_how_many_wait_and_when_slurm_expects_it_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    start = int(time.time()) + 7200
    said = f"sbatch: Job 9 to start at {start} using 64 processors on nodes n[1-2] in partition gpu\n"
    answer("sbatch", error=said)
    answer("squeue", "7|7|50\n8|8|50\n9|9|0\n")
    assert forecast(GPU, never) == Forecast("gpu", 2, start)
    assert (tmp_path / "bin" / "sbatch.asked").read_text() == "--test-only\n"


def test_a_start_in_a_year_is_no_estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    start = int(time.time()) + 365 * 86_400
    answer(
        "sbatch", error=f"sbatch: Job 9 to start at {start} using 1 processors on nodes n1 in partition gpu\n"
    )
    answer("squeue", "")
    assert forecast(GPU, never) == Forecast("gpu", 0)


def test_an_answer_that_is_not_understood_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sbatch", error="sbatch: something new\n")
    assert forecast(GPU, never) is None


@pytest.mark.parametrize(
    ("limit", "allowed"), [("1:00:00", "1 hour"), ("0:30", "30 seconds"), ("2:30:00", "150 minutes")]
)
def test_a_job_that_asks_for_more_time_than_its_partition_allows_would_not_start(
    limit: str, allowed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm itself says then that it would start now."""
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer(
        "sbatch",
        error="sbatch: Job 9 to start at 1796000000 using 1 processors on nodes n1 in partition gpu\n",
    )
    answer("sinfo", f"gpu|gpu|up|{limit}|0/1/0/1|1|64|256000|gpu:2\n")
    said = f"would not start: gpu allows at most {allowed}, not 4:00:00, unless its QOS allows more"
    with pytest.raises(RunError, match=said):
        forecast(GPU, never)


def test_says_why_slurm_would_refuse_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sbatch", error="allocation failure: Requested node configuration is not available\n", code=1)
    with pytest.raises(RunError, match="refuses the job: Requested node configuration is not available"):
        forecast(GPU, never)


def test_waits_for_a_command_that_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("squeue", "7|7|50\n")
    said = f"sbatch: Job 9 to start at {int(time.time())} using 1 processors on nodes n1 in partition gpu"
    asked = tmp_path / "asked"
    script = f"#!/bin/sh\nuntil [ -e {asked} ]; do /bin/sleep 0.01; done\necho '{said}' >&2\n"
    (tmp_path / "bin" / "sbatch").write_text(script)
    monkeypatch.setattr(commands, "LOOK_SECONDS", 0.05)

    def still_wanted() -> bool:
        asked.touch()
        return False

    found = forecast(GPU, still_wanted)
    assert found is not None
    assert (found.partition, found.waiting) == ("gpu", 1)


def test_ends_the_command_once_nobody_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path / "bin", monkeypatch)
    (tmp_path / "bin" / "sbatch").write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    unwanted = threading.Event()
    unwanted.set()
    with pytest.raises(Withdrawn):
        forecast(GPU, unwanted.is_set)
