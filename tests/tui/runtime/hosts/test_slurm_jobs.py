"""Runs in jobs of a real Slurm: waiting, training, requeued at the time limit, stopped, killed."""

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import RunError
from core.events import EpochFinished, Event, RunPaused, RunStarted
from core.runs.checkpoints import load_latest
from core.runs.folder import Run, all_runs
from core.runs.jobs.following import ask_about_jobs
from core.runs.jobs.record import job_of
from core.runs.log import all_events
from core.runs.summary import RunSummary, summarise
from core.slurm.client import partitions
from core.slurm.forecast import forecast
from core.slurm.settings import SlurmSettings
from core.tuning.study.records import TrialRecord
from core.tuning.study.study import open_study
from tests.support.fork_server import Command
from tui.runtime.study_queue import workers

SETTINGS = os.environ.get("TUI_TEST_SLURM", "")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.xdist_group("slurm"),
    pytest.mark.skipif(not SETTINGS, reason="needs a Slurm (.ci/slurm)"),
]
ON_THE_PAIR = pytest.mark.xdist_group("slurm-pair")
"""Tests on the two nodes beside the default one, which run at the same time as those on that."""
SECONDS = 120.0
"""After which the machine is not just busy."""
Tui = Callable[[str, Path], str]
EPOCHS = 1500
"""Which last long enough that the warning finds the run in training."""
TRAINING = "--data digits --model mlp --threads 1 --no-preflight --epochs"


@pytest.fixture(autouse=True)
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SLURM_CONF", SETTINGS)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    for file in tmp_path.rglob("job.json"):
        found = json.loads(file.read_text())
        jobs = [record["job"]["id"] for record in (found if isinstance(found, list) else [found])]
        subprocess.run(["scancel", *jobs], check=False)


@pytest.fixture
def tui(command: Callable[[str], Command]) -> Tui:
    """Runs ``tui`` with a line of arguments, and returns what it prints."""

    def tui(line: str, runs: Path) -> str:
        process = command(f"{line} --runs {shlex.quote(str(runs))}")
        printed, said = process.communicate()
        assert not process.returncode, said
        return printed

    return tui


def submit(tui: Tui, runs: Path, more: str, epochs: int) -> Run:
    tui(f"train {TRAINING} {epochs} --run-in slurm --time 10 --memory 1000M {more}", runs)
    return all_runs(runs)[0]


def until(run: Run, holds: Callable[[RunSummary], Any]) -> RunSummary:
    """Return the summary of a run as soon as something holds for it."""
    deadline = time.monotonic() + SECONDS
    while not holds(summary := summarise(run)):
        assert time.monotonic() < deadline, (summary.status, summary.error, run.console_file.read_text())
        time.sleep(0.1)
        ask_about_jobs([run])
    return summary


def trains(summary: RunSummary) -> bool:
    return summary.status == "running" and summary.epoch > 2


def warn(run: Run) -> None:
    """Send what Slurm sends some time before the time limit."""
    subprocess.run(["scancel", "--batch", "--signal=USR1", job_id(run)], check=True)


def job_id(run: Run) -> str:
    record = job_of(run)
    assert record is not None
    return record.job.id


def started_at(run: Run) -> list[bool]:
    """Return, for each start of a run, whether it resumed."""
    return [event.step > 0 for event in all_events(run.log_file) if isinstance(event, RunStarted)]


def test_a_run_waits_trains_fails_to_start_again_stops_in_another_job_and_ends_as_one_that_was_not_interrupted(
    tmp_path: Path, tui: Tui
) -> None:
    environment, runs = tmp_path / "environment.sh", tmp_path / "runs"
    environment.touch()
    run = submit(tui, runs, f"--sbatch=--hold --setup '. {environment}'", EPOCHS)
    waiting = until(run, lambda summary: summary.job is not None and summary.job.job.reason == "JobHeldUser")
    assert waiting.status == "pending"
    assert "is held by its user" in tui("runs", runs)
    subprocess.run(["scontrol", "release", job_id(run)], check=True)
    running = until(run, trains)
    assert running.job is not None
    assert (running.job.job.limit, bool(running.job.job.nodes)) == (600, True)
    environment.write_text("export PYTHONHOME=/gone\n")
    warn(run)
    assert 0 < until(run, lambda summary: summary.status == "pending").epoch < EPOCHS
    failed = until(run, lambda summary: summary.status == "interrupted")
    assert failed.error.startswith(
        f"its job {job_id(run)} exited with code 1 (FAILED, NonZeroExitCode): ModuleNotFoundError: "
    )
    tui(f"train --no-ui --resume {run.id} --run-in slurm --time 10", runs)
    until(run, lambda summary: summary.status == "running" and summary.epoch > failed.epoch)
    tui(f"stop {run.id}", runs)
    stopped = summarise(run)
    assert (stopped.status, 0 < stopped.epoch < EPOCHS) == ("stopped", True)
    assert stopped.job is not None
    assert stopped.job.job.state.startswith("CANCELLED")
    tui(f"train --no-ui --quiet --resume {run.id}", runs)
    assert started_at(run) == [False, True, True]
    tui(f"train --no-ui --quiet {TRAINING} {EPOCHS}", tmp_path / "other")
    (other,) = all_runs(tmp_path / "other")
    ours, theirs = (load_latest(one)[0] for one in (run, other))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours["model"][name], theirs["model"][name]) for name in theirs["model"])


def test_a_job_that_is_cancelled_while_it_waits_says_so_and_by_whom_where_that_is_known(
    tmp_path: Path, tui: Tui
) -> None:
    stopped = submit(tui, tmp_path / "stopped", "--sbatch=--hold", 1)
    tui(f"stop {stopped.id}", tmp_path / "stopped")
    cancelled = submit(tui, tmp_path / "cancelled", "--sbatch=--hold", 1)
    subprocess.run(["scancel", job_id(cancelled)], check=True)
    for run, by, user in ((stopped, " by you", f" by {os.getuid()}"), (cancelled, "", "")):
        ended = until(run, lambda summary: summary.status == "interrupted")
        assert ended.error == (
            f"its job {job_id(run)} was cancelled{by} while it waited (CANCELLED{user}); it can be submitted again"
        )
    shown = json.loads(tui(f"runs show {cancelled.id} --json", tmp_path / "cancelled"))
    again = f"--resume {cancelled.id} --run-in slurm --memory 1000M --time 10 --sbatch --hold"
    assert again in shown["resume"]


@ON_THE_PAIR
def test_two_nodes_train_one_run_that_is_requeued_and_ends_as_in_one_process(
    tmp_path: Path, tui: Tui, train_run: Callable[..., Any]
) -> None:
    run = submit(tui, tmp_path, "--partition pair --nodes 2 --cores 1", 80)
    running = until(run, trains)
    assert running.job is not None
    assert running.job.job.nodes == "pair[1-2]"
    warn(run)
    assert 0 < until(run, lambda summary: summary.status == "pending").epoch < 80
    printed = run.console_file.read_text()
    assert "Traceback" not in printed
    assert "SignalException" not in printed
    until(run, lambda summary: summary.status == "completed")
    assert started_at(run) == [False, True]
    values = {"data": "digits", "model": "mlp", "training": {"epochs": 80, "preflight": False}}
    ours, theirs = (load_latest(one)[0] for one in (run, train_run(values).run))
    assert ours is not None
    assert theirs is not None
    assert all(
        torch.allclose(ours["model"][name], theirs["model"][name], atol=1e-3) for name in theirs["model"]
    )


@ON_THE_PAIR
def test_a_run_goes_on_elsewhere_although_its_lost_node_still_trains_it_and_says_that_it_was_killed(
    tmp_path: Path, tui: Tui
) -> None:
    """The daemon of the node is gone, but not the processes that it had started."""
    run = submit(tui, tmp_path, "--partition pair", 100_000)
    node = until(run, trains).job
    assert node is not None
    lost = node.job.nodes
    daemon = int((Path(SETTINGS).parent / f"slurmd-{lost}.pid").read_text())
    os.kill(daemon, signal.SIGKILL)
    try:
        subprocess.run(["scontrol", "update", f"nodename={lost}", "state=down", "reason=test"], check=True)
        until(run, lambda summary: started_at(run) == [False, True])
    finally:
        subprocess.run(["slurmd", "-N", lost, "-f", SETTINGS], check=True)
    assert "an earlier start of job" in run.console_file.read_text()
    resumed = until(run, trains).job
    assert resumed is not None
    assert {lost, resumed.job.nodes} == {"pair1", "pair2"}
    started = [event for event in all_events(run.log_file) if isinstance(event, RunStarted)]
    os.kill(started[-1].pid, signal.SIGKILL)
    died = until(run, lambda summary: summary.status == "interrupted" and "SIGKILL" in summary.error)
    assert (
        died.error
        == f"its job {job_id(run)} was killed by SIGKILL (FAILED, NonZeroExitCode); it can be resumed"
    )


@ON_THE_PAIR
def test_a_run_whose_job_makes_room_for_another_saves_and_says_why(tmp_path: Path, tui: Tui) -> None:
    run = submit(tui, tmp_path, "--partition low", 100_000)
    epoch = until(run, trains).epoch
    subprocess.run(
        ["sbatch", "--partition=high", "--exclusive", "--output=/dev/null", "--wrap=true"], check=True
    )
    ended = until(run, lambda summary: summary.status == "stopped" and summary.error)
    assert ended.error == (
        f"its job {job_id(run)} had to make room for a job of higher priority (PREEMPTED); it can be resumed"
    )
    assert ended.epoch >= epoch


def test_trials_of_a_worker_that_was_killed_are_run_again(tmp_path: Path, tui: Tui) -> None:
    """An array of two workers on one study."""
    grid = (
        "--method grid -p lr=0.1,0.03 -p batch_size=16,32 --epochs 1500 --data iris --model mlp --threads 1"
    )
    job = "--executor slurm --jobs 2 --time 10 --memory 1500M"
    submitted = json.loads(tui(f"tune --no-ui --json {grid} {job}", tmp_path))
    study = open_study(tmp_path, submitted["run"])
    (array,) = (job.id for job in workers(study.folder))

    def until_records(holds: Callable[[list[TrialRecord]], bool]) -> list[TrialRecord]:
        deadline = time.monotonic() + SECONDS
        while not holds(records := study.records()):
            assert time.monotonic() < deadline, records
            time.sleep(0.1)
        return records

    def events(kind: type[Event]) -> int:
        """Return how many events of a kind the trials have logged."""
        logs = [list(all_events(run.log_file)) for run in all_runs(study.folder.trials_dir)]
        return sum(isinstance(event, kind) for log in logs for event in log)

    until_records(lambda records: events(EpochFinished) > 2)
    study.pause()
    until_records(lambda records: events(RunPaused) == 2)  # two trials, each in the middle
    subprocess.run(["scancel", "--signal=KILL", "--full", f"{array}_1"], check=True)
    study.go_on()
    until_records(lambda records: [record.state for record in records] == ["completed"] * 4)
    assert events(RunStarted) == 5  # one of the four in a second process


def test_a_job_that_slurm_refuses_leaves_no_run(tmp_path: Path, command: Callable[[str], Command]) -> None:
    process = command(f"train --run-in slurm --partition nowhere --runs {tmp_path}")
    said = process.communicate()[1]
    assert process.returncode == 2
    assert said.startswith("error: Slurm refuses the job: Invalid partition name specified")
    assert all_runs(tmp_path) == []


def test_says_before_a_job_is_submitted_what_it_would_meet() -> None:
    found = forecast(SlurmSettings(time="1"), lambda: False)
    assert found is not None
    assert (found.partition, found.waiting) == ("debug", 0)
    assert abs(found.start - time.time()) < 3600
    with pytest.raises(RunError, match="refuses the job"):
        forecast(SlurmSettings(partition="nowhere"), lambda: False)
    with pytest.raises(RunError, match="would not start: low allows at most 1 hour, not 2-00:00"):
        forecast(SlurmSettings(partition="low", time="2-00:00"), lambda: False)
    debug, *others = partitions()
    assert (debug.name, debug.is_default, debug.nodes) == ("debug", True, 1)
    assert {partition.name for partition in others} == {"pair", "low", "high"}
