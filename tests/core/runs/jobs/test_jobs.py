"""Runs whose job waits, starts, runs or has died, as lists show them."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import RunError
from core.runs.catalogue import Catalogue
from core.runs.creating import write_config
from core.runs.folder import Run
from core.runs.jobs import following
from core.runs.jobs.earlier_start import await_earlier_start
from core.runs.jobs.following import ask_about_jobs, end_jobs, request_of_job
from core.runs.jobs.record import JobRecord, job_of, note_job, write_job
from core.runs.lock import hold
from core.runs.requests import claimed
from core.runs.summary import summarise
from core.slurm.job import SlurmJob
from tests.support.slurm_answers import Answer, stand_in
from tests.support.written_runs import write_run

WAITING = SlurmJob("12", "PENDING", "Priority")
AT_WORK = SlurmJob("12", "RUNNING", "None", start=2_000_000_000, nodes="n1", limit=60)


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    return stand_in(tmp_path / "bin", monkeypatch)


@pytest.fixture
def new(tmp_path: Path) -> Run:
    """A run that has a folder, and that nothing has trained."""
    run = Run(tmp_path / "runs" / "2026-11-30_1200_iris-mlp_abc")
    run.path.mkdir(parents=True)
    write_config(run, TrainConfig())
    return run


def give(run: Run, job: SlurmJob, *, submitted: float = 0.0, asked: float = 0.0, ours: bool = True) -> None:
    write_job(run, JobRecord(job, submitted or time.time(), asked or time.time(), ours))


@pytest.mark.parametrize(
    ("job", "status", "error"),
    [
        (WAITING, "pending", ""),
        (AT_WORK, "preparing", ""),
        (replace(AT_WORK, state="NODE_FAIL"), "interrupted",
         "its job 12 lost its node (NODE_FAIL); it can be resumed"),
        (replace(AT_WORK, state="FAILED", exit_code="9:0"), "interrupted",
         "its job 12 exited with code 9 (FAILED); it can be resumed"),
    ],
)  # fmt: skip
def test_a_run_without_a_log_stands_as_its_job_does(job: SlurmJob, status: str, error: str, new: Run) -> None:
    give(new, job)
    summary = summarise(new)
    assert (summary.status, summary.error) == (status, error)
    assert summary.job is not None


def test_a_run_that_was_stopped_and_requeued_waits_again(tmp_path: Path) -> None:
    run = write_run(tmp_path, "2026-11-30_1200_iris-mlp_abc", status="stopped", time=1e9)
    give(run, replace(AT_WORK, start=999_999_990), submitted=9e8, asked=9e8)
    assert summarise(run).status == "stopped"  # its job has not ended yet
    give(run, WAITING, submitted=9e8)
    assert summarise(run).status == "pending"
    give(run, AT_WORK, submitted=9e8)
    assert summarise(run).status == "preparing"
    give(run, replace(AT_WORK, state="COMPLETED"), submitted=9e8)
    assert summarise(run).status == "stopped"
    give(run, replace(AT_WORK, state="NODE_FAIL"), submitted=9e8)
    assert (summarise(run).status, "NODE_FAIL" in summarise(run).error) == ("interrupted", True)
    give(run, replace(AT_WORK, state="CANCELLED", start=999_999_990), submitted=9e8)
    assert summarise(run).status == "stopped"  # by its user, who cancelled the job then


def test_a_run_that_slurm_let_save_before_it_ended_its_job_says_why(tmp_path: Path) -> None:
    run = write_run(tmp_path, "2026-11-30_1200_iris-mlp_abc", status="stopped", time=1e9)
    give(run, replace(AT_WORK, state="PREEMPTED", start=999_999_990), submitted=9e8)
    assert summarise(run).status == "stopped"
    assert summarise(run).error.startswith(
        "its job 12 had to make room for a job of higher priority (PREEMPTED"
    )


def test_a_requeued_job_lets_its_earlier_start_save_and_stop(
    new: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its node was lost to Slurm, but works on."""
    control, told = RunControl(), list[str]()
    give(new, AT_WORK)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setattr("core.runs.jobs.earlier_start.POLL_SECONDS", 0.01)
    held = Event()

    def train() -> None:
        with claimed(new, control):
            held.set()
            while not control.stop_requested:
                time.sleep(0.01)

    thread = Thread(target=train)
    thread.start()
    assert held.wait(600)
    await_earlier_start(new, told.append)  # not requeued: another process of the same job
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    monkeypatch.setenv("SLURM_JOB_ID", "13")
    await_earlier_start(new, told.append)
    assert (told, control.stop_requested) == ([], False)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    await_earlier_start(new, told.append)
    thread.join()
    await_earlier_start(new, told.append)
    assert told == [
        "an earlier start of job 12 still trains this run: waiting until it has saved and stopped"
    ]


def test_a_completed_run_is_not_asked_about(tmp_path: Path) -> None:
    run = write_run(tmp_path, "2026-11-30_1200_iris-mlp_abc", time=1e9)
    give(run, AT_WORK)
    assert summarise(run).job is None


def test_a_dead_node_does_not_keep_a_run_running(new: Run) -> None:
    """Its lock may outlive it on the server of the disk."""
    give(new, AT_WORK)
    with hold(new):
        assert summarise(new).status == "preparing"
        give(new, replace(AT_WORK, state="NODE_FAIL"))
        assert summarise(new).status == "interrupted"
        assert summarise(new, as_left=True).job is None


def test_whoever_trains_a_run_notes_its_job(new: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    give(new, replace(AT_WORK, id="7"))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_NODELIST", "n[1-2]")
    note_job(new)
    record = job_of(new)
    assert record is not None
    assert (record.job.id, record.job.nodes, record.job.limit, record.ours) == ("7", "n[1-2]", 60, True)
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "9")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    note_job(new)
    record = job_of(new)
    assert record is not None
    assert (record.job.id, record.ours) == ("9_3", False)
    monkeypatch.delenv("SLURM_JOB_ID")
    note_job(new)
    assert job_of(new) is None


def test_damaged_records_are_no_records(new: Run) -> None:
    for text in ("", "{}", '{"job": 1}', "[" * 2000, json.dumps({"job": {"id": "1"}})):
        (new.path / "job.json").write_text(text)
        assert job_of(new) is None
        assert summarise(new).status == "damaged"


def test_lists_learn_what_slurm_says(new: Run, answer: Answer) -> None:
    give(new, WAITING, submitted=1.0)
    catalogue = Catalogue(new.path.parent)
    assert next(iter(catalogue.changes()))[new.id] is not None
    assert catalogue.with_open_jobs() == [new]
    answer("squeue", "12|RUNNING|None|2000000000|n7|1:00|4:00|gpu\n")
    assert ask_about_jobs([new]) == ""
    (changes,) = catalogue.changes()
    summary = changes[new.id]
    assert summary is not None
    assert summary.job is not None
    assert (summary.status, summary.job.job.nodes, summary.job.job.limit) == ("preparing", "n7", 240)
    answer("squeue", error="slurm_load_jobs error: Invalid job id specified\n", code=1)
    ask_about_jobs([new])
    assert summarise(new).error.startswith(
        "its job 12 is no longer known to Slurm, nor to its accounting (FORGOTTEN)"
    )


def test_a_silent_slurm_changes_nothing(new: Run, answer: Answer) -> None:
    give(new, WAITING)
    answer("squeue", error="slurm_load_jobs error: Socket timed out on send/recv operation\n", code=1)
    assert ask_about_jobs([new]).startswith("Slurm does not answer: ")
    assert summarise(new).status == "pending"


def test_a_job_that_waits_is_cancelled(new: Run, answer: Answer, tmp_path: Path) -> None:
    give(new, WAITING)
    with pytest.raises(RunError, match="waits in the queue of Slurm"):
        request_of_job(new, "pause")
    request_of_job(new, "stop")
    assert (tmp_path / "bin" / "scancel.asked").read_text() == "12\n"
    assert summarise(new).error == (
        f"its job 12 was cancelled by you while it waited (CANCELLED by {os.getuid()}); it can be submitted again"
    )


def test_a_waiting_job_that_others_cancel_says_so_and_not_for_what_it_had_waited(
    new: Run, answer: Answer, tmp_path: Path
) -> None:
    """As Slurm 22.05 answers: it keeps the reason, and a time of start."""
    give(new, WAITING)
    answer("squeue", "12|CANCELLED|Resources|1796067429||0:00|UNLIMITED|debug\n")
    answer(
        "scontrol",
        "JobId=12 JobState=CANCELLED Reason=Resources StartTime=1796067429 RunTime=00:00:00 NodeList=\n",
    )
    answer("sacct", error="Slurm accounting storage is disabled\n", code=1)
    ask_about_jobs([new])
    summary = summarise(new)
    assert summary.job is not None
    assert (summary.status, summary.job.job.reason) == ("interrupted", "")
    assert summary.error == "its job 12 was cancelled while it waited (CANCELLED); it can be submitted again"
    give(new, WAITING)
    answer("sacct", "12|CANCELLED by 4000000|Resources|None|None assigned|0|0|debug|0:0\n")
    ask_about_jobs([new])
    assert summarise(new).error.startswith("its job 12 was cancelled by user 4000000 while it waited")
    answer(
        "scontrol", error="slurm_load_jobs error: Invalid job id specified\n", code=1
    )  # the accounting alone
    give(new, WAITING)
    ask_about_jobs([new])
    assert summarise(new).error.startswith("its job 12 was cancelled by user 4000000 while it waited")


def test_a_requeued_job_that_is_cancelled_while_it_waits_leaves_its_run_stopped_and_says_so(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path, "2026-11-30_1200_iris-mlp_abc", status="stopped", time=1e9)
    give(run, SlurmJob("12", "CANCELLED by 4000000", start=1_000_000_100), submitted=9e8)
    summary = summarise(run)
    assert (summary.status, summary.error) == (
        "stopped",
        "its job 12 was cancelled by user 4000000 while it waited (CANCELLED by 4000000); it can be submitted again",
    )


FAILED = replace(AT_WORK, state="FAILED", reason="NonZeroExitCode", exit_code="1:0", start=1_000_000_100)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("Traceback (most recent call last):\n  File 'x'\nModuleNotFoundError: No module named 'tui'\n",
         ": ModuleNotFoundError: No module named 'tui'"),
        ("error: own.py, line 3: invalid syntax\nsrun: error: n1: task 0: Exited with exit code 2\n",
         ": error: own.py, line 3: invalid syntax"),
        ("job.sh: line 28: /gone/bin/python: No such file or directory\n",
         ": job.sh: line 28: /gone/bin/python: No such file or directory"),
        ("W1130 12:00:00 torch/distributed\n============\n", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_requeued_start_that_fails_before_it_trains_says_what_it_printed_last(
    printed: str, told: str, tmp_path: Path
) -> None:
    run = write_run(tmp_path, "2026-11-30_1200_iris-mlp_abc", status="stopped", time=1e9)
    give(run, FAILED, submitted=9e8)
    run.console_file.write_text(f"ValueError: of the start before\njob 12 starts on n1\n{printed}")
    summary = summarise(run)
    assert (summary.status, summary.error) == (
        "interrupted", f"its job 12 exited with code 1 (FAILED, NonZeroExitCode){told}; it can be resumed"
    )  # fmt: skip


def test_what_an_earlier_start_printed_or_a_trained_one_is_no_reason(tmp_path: Path) -> None:
    run = write_run(tmp_path, "2026-11-30_1200_iris-mlp_abc", status="stopped", time=1e9)
    give(run, FAILED, submitted=9e8)
    run.console_file.write_text("error: the disk is full\n")
    os.utime(run.console_file, (1_000_000_050, 1_000_000_050))
    assert "the disk is full" not in summarise(run).error
    give(run, replace(FAILED, state="FORGOTTEN", reason="", start=999_999_990), submitted=9e8)
    assert (summarise(run).status, summarise(run).error) == (
        "stopped",
        "its job 12 is no longer known to Slurm, nor to its accounting (FORGOTTEN): error: the disk is full; "
        "it can be resumed",
    )
    run.log_file.write_text("".join(run.log_file.read_text().splitlines(keepends=True)[:-1]))
    run.lock_file.touch()
    os.utime(run.console_file)
    give(run, replace(FAILED, start=999_999_990), submitted=9e8)
    assert summarise(run).error.endswith("(FAILED, NonZeroExitCode); it can be resumed")


def test_a_run_saves_before_its_job_is_cancelled(new: Run, answer: Answer, tmp_path: Path) -> None:
    give(new, AT_WORK)
    asked = tmp_path / "bin" / "scancel.asked"
    with hold(new):
        assert request_of_job(new, "stop")
        assert new.requests_file.read_text() == "stop\n"
        assert not end_jobs({new: True}, 0.0)
        assert not asked.exists()
    assert end_jobs({new: True}, 0.0)
    assert asked.read_text() == "12\n"


def several(new: Run, count: int) -> list[Run]:
    """Runs that a job of two nodes trains each: 12, 13 and so on."""
    runs = [new, *(Run(new.path.with_name(f"{new.id}{place}")) for place in range(1, count))]
    for place, run in enumerate(runs):
        run.path.mkdir(exist_ok=True)
        job, now = replace(AT_WORK, id=str(12 + place)), time.time()
        write_job(run, JobRecord(job, now, now, ours=True, settings={"nodes": 2}))
    return runs


def test_torchrun_ends_in_order_before_its_job_is_cancelled(new: Run, answer: Answer, tmp_path: Path) -> None:
    """It would end with a traceback."""
    several(new, 1)
    answer("squeue", "12|COMPLETED|None|2000000000|n1|0:30|1:00|debug\n")
    assert end_jobs({new: True}, 0.0)
    record = job_of(new)
    assert record is not None
    assert record.job.state == "COMPLETED"
    assert not (tmp_path / "bin" / "scancel.asked").exists()


def test_a_group_waits_for_torchrun_all_at_once_and_asks_slurm_now_and_then(
    new: Run, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, clock = several(new, 3), [0.0]
    rows = [f"{id}|RUNNING|None|2000000000|n1|0:30|1:00|debug\n" for id in (12, 13, 14)]
    answer("squeue", "".join(rows))
    clocks = {
        "monotonic": lambda: clock[0],
        "sleep": lambda seconds: clock.append(clock.pop() + seconds),
        "time": time.time,
    }
    monkeypatch.setattr(following, "time", SimpleNamespace(**clocks))
    assert end_jobs(dict.fromkeys(runs, True), 600.0)
    assert clock == [following.ORDER_SECONDS]
    assert len((tmp_path / "bin" / "squeue.asked").read_text().splitlines()) == 11
    assert (tmp_path / "bin" / "scancel.asked").read_text() == "12\n13\n14\n"


def test_a_job_whose_run_nothing_trains_yet_is_cancelled_at_once(
    new: Run, answer: Answer, tmp_path: Path
) -> None:
    several(new, 1)
    assert end_jobs({new: request_of_job(new, "stop")}, 600.0)
    assert (tmp_path / "bin" / "scancel.asked").read_text() == "12\n"
    assert not (tmp_path / "bin" / "squeue.asked").exists()


def test_what_others_have_noted_of_a_job_meanwhile_is_kept_when_it_is_cancelled(
    new: Run, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(new, WAITING)
    monkeypatch.setattr(following, "cancel", lambda job: give(new, AT_WORK))  # it starts at this moment
    request_of_job(new, "stop")
    record = job_of(new)
    assert record is not None
    assert (record.job.nodes, record.job.was_withdrawn) == ("n1", False)
    give(new, WAITING)
    other = replace(WAITING, id="13")
    monkeypatch.setattr(following, "cancel", lambda job: give(new, other))
    request_of_job(new, "stop")
    record = job_of(new)
    assert record is not None
    assert record.job == other


def test_a_job_of_other_things_is_left_alone(new: Run, answer: Answer, tmp_path: Path) -> None:
    give(new, AT_WORK, ours=False)
    assert not request_of_job(new, "stop")
    assert end_jobs({new: False}, 0.0)
    assert not (tmp_path / "bin" / "scancel.asked").exists()
    give(new, WAITING, ours=False)
    with pytest.raises(RunError, match="was not started for"):
        request_of_job(new, "stop")
