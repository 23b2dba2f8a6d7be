"""Checks of several processes, of locks, Slurm and Ray: on this machine, and with stand-ins for others."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.doctor import several
from core.doctor.pair import meet
from core.doctor.several import check_locks, check_nccl, check_processes, check_ray, check_slurm
from core.errors import RunError
from core.slurm.job import SlurmJob
from tests.support.locks import refuse_locks


def test_two_processes_contend_for_a_lock_beside_the_runs(tmp_path: Path) -> None:
    check = check_locks(tmp_path / "not" / "yet")
    assert check.ok, check.found
    assert check.found.endswith(f"on the disk of {tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_on_which_locks_do_not_hold_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: Sequence[str], **options: object) -> SimpleNamespace:
        return SimpleNamespace(stdout="free\n")

    monkeypatch.setattr(subprocess, "run", run)
    check = check_locks(tmp_path)
    assert (check.ok, check.found) == (
        False,
        "a second process finds a lock free while it is held, and free after that",
    )
    refuse_locks(monkeypatch)
    assert "has no locks" in check_locks(tmp_path).found


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A Slurm that takes job 7; the list has the jobs that were cancelled."""
    cancelled: list[str] = []
    monkeypatch.setattr(several, "missing", lambda: "")
    monkeypatch.setattr(several, "submit", lambda script: "7")
    monkeypatch.setattr(several, "cancel", cancelled.append)
    return cancelled


@pytest.mark.parametrize(
    ("job", "ok", "words", "cancelled"),
    [
        (SlurmJob("7", "COMPLETED"), True, "it ran", []),
        (None, True, "it ran", []),
        (
            SlurmJob("7", "PENDING", "(Resources)"),
            True,
            "job 7 was accepted, and cancelled after 0 s:",
            ["7"],
        ),
        (SlurmJob("7", "NODE_FAIL"), False, "job 7 lost its node (NODE_FAIL)", []),
    ],
)
def test_a_job_of_slurm_that_does_nothing(
    slurm: list[str],
    monkeypatch: pytest.MonkeyPatch,
    job: SlurmJob | None,
    ok: bool,
    words: str,
    cancelled: list[str],
) -> None:
    monkeypatch.setattr(several, "find_jobs", lambda ids: {} if job is None else {"7": job})
    check = check_slurm(0)
    assert (check.ok, slurm) == (ok, cancelled)
    assert words in check.found


def test_a_slurm_that_refuses_or_is_not_there(slurm: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(script: str) -> str:
        raise RunError("Slurm refuses the job: Invalid account")

    monkeypatch.setattr(several, "submit", refuse)
    assert check_slurm().found == "Slurm refuses the job: Invalid account"

    def unconfigured(script: str) -> str:
        raise RunError("Slurm refuses the job: Could not establish a configuration source")

    monkeypatch.setattr(several, "submit", unconfigured)
    assert check_slurm().ok
    monkeypatch.setattr(several, "missing", lambda: "Slurm is not installed here: there is no sbatch")
    assert check_slurm().found == "not here: Slurm is not installed here: there is no sbatch"


def test_the_cluster_of_ray_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: str) -> str:
        raise RunError("cannot reach a Ray cluster: refused", "Start one")

    monkeypatch.setattr(several, "find_spec", lambda name: object())
    assert check_ray("host:1", lambda address: "3 of 4 CPUs free").found == "host:1: 3 of 4 CPUs free"
    lost = check_ray("host:1", refuse)
    assert (lost.ok, lost.advice) == (False, "Start one")
    assert "RAY_ADDRESS names no cluster" in check_ray("", refuse).found
    monkeypatch.setattr(several, "find_spec", lambda name: None)
    assert check_ray("host:1", refuse).found == "not here: Ray is not installed"


def test_what_two_processes_say_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "meet", lambda backend: "Connection refused")
    check = check_processes()
    assert (check.ok, check.found) == (False, "gloo: Connection refused")
    assert "GLOO_SOCKET_IFNAME" in str(check.advice)
    monkeypatch.setattr("torch.distributed.is_nccl_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.nccl.version", lambda: (2, 30, 7))
    for count, ok, words in (
        (1, True, "one GPU; NCCL 2.30.7"),
        (2, False, "NCCL 2.30.7: Connection refused"),
    ):
        monkeypatch.setattr("torch.cuda.device_count", lambda count=count: count)
        assert (check_nccl().ok, words in check_nccl().found) == (ok, True)


@pytest.mark.heavy
def test_two_processes_meet_here_and_one_that_is_late_is_ended() -> None:
    assert meet("gloo") == ""
    assert "within 0 s" in meet("gloo", 0.1)
