"""The machine at one moment: its GPUs as `nvidia-smi` lists them, its processes, its disks."""

import os
from pathlib import Path

import pytest

from core.gpus.smi import MIB
from core.observers.machine_state import MachineWatch, read_gpus

GPUS = """0, NVIDIA H200, 87, 71200, 143771, 64, 420.51
1, NVIDIA A100, [N/A], 10, 40960, [N/A], [Not Supported]
"""
USERS = "4242, 70000\n4242, 500\n77, [N/A]\n"


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "smi"
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return str(path)


def test_gpus_and_the_processes_on_them(tmp_path: Path) -> None:
    (tmp_path / "gpus").write_text(GPUS)
    (tmp_path / "users").write_text(USERS)
    smi = program(tmp_path, f'case "$1" in *gpu=*) cat {tmp_path}/gpus;; *) cat {tmp_path}/users;; esac\n')
    (first, second), users, note = read_gpus(smi)
    assert note == ""
    assert (first.index, first.name, first.use, first.temperature) == (0, "NVIDIA H200", 87.0, 64.0)
    assert (first.memory_used, first.memory_total, first.power) == (71200 * MIB, 143771 * MIB, 420.51)
    assert (second.name, second.use, second.power) == ("NVIDIA A100", None, None)
    assert users == {4242: 70500 * MIB, 77: 0}


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("exit 0\n", "lists none"),
        ("echo 'NVIDIA-SMI has failed because it could not talk to the driver.'; exit 9\n", "could not talk"),
    ],
)
def test_why_there_are_none(tmp_path: Path, script: str, note: str) -> None:
    gpus, users, told = read_gpus(program(tmp_path, script))
    assert (gpus, users) == ((), {})
    assert note in told
    assert read_gpus(str(tmp_path / "nothing"))[2].endswith("nothing is not installed")


def test_a_look_at_this_machine(tmp_path: Path) -> None:
    state = MachineWatch([tmp_path / "not" / "there", tmp_path]).look()
    assert len(state.disks) == 1
    assert 0 < state.disks[0].free < state.disks[0].total
    assert 0 < state.memory_used <= state.memory_total
    assert state.cores >= 1
    assert len({process.pid for process in state.processes}) == len(state.processes) > 0
    own = [process for process in state.processes if process.pid == os.getpid()]
    assert all(process.memory > 1 << 20 and "py" in process.command for process in own)
