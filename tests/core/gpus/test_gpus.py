"""GPUs as `nvidia-smi` prints them, the ones that may be used, and the one that is taken."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import devices
from core.errors import DeviceError
from core.files.lock import FileLock
from core.gpus import claims, process
from core.gpus.allowed import VISIBLE, allowed_here, as_counted, chosen_of, counts_by_speed, visible
from core.gpus.choice import ranked, take, without_own
from core.gpus.table import GpuState, read_table, table_of

GIB = 1 << 30
GPUS = """0, GPU-aaaa1111-0000-0000-0000-000000000000, NVIDIA A100-SXM4-40GB, 40960, 31000
1, GPU-bbbb2222-0000-0000-0000-000000000000, NVIDIA A100-SXM4-40GB, 40960, 4
2, GPU-cccc3333-0000-0000-0000-000000000000, NVIDIA A100-SXM4-40GB, 40960, 700
3, GPU-dddd4444-0000-0000-0000-000000000000, NVIDIA A100-SXM4-40GB, [N/A], [N/A]
"""
APPS = """GPU-aaaa1111-0000-0000-0000-000000000000, 4242, 30900
GPU-aaaa1111-0000-0000-0000-000000000000, 77, [Insufficient Permissions]
"""
LISTING = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa1111-0000-0000-0000-000000000000)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb2222-0000-0000-0000-000000000000)
  MIG 3g.20gb     Device  0: (UUID: MIG-11111111-aaaa-5555-8888-000000000000)
  MIG 1g.5gb      Device  1: (UUID: MIG-22222222-aaaa-5555-8888-000000000000)
GPU 2: NVIDIA A100-SXM4-40GB (UUID: GPU-cccc3333-0000-0000-0000-000000000000)
"""


@pytest.fixture(autouse=True)
def own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Locks in a folder of the test, and no GPU that an earlier one has taken."""
    monkeypatch.setattr(claims, "LOCAL", tmp_path)
    for name in (VISIBLE, process.GIVEN, "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)
    yield
    process.release_gpu()


def smi(folder: Path, gpus: str = GPUS, apps: str = "", listing: str = "", script: str = "") -> str:
    """Write a program that answers as `nvidia-smi` does."""
    for name, text in (("gpus", gpus), ("apps", apps), ("listing", listing)):
        (folder / name).write_text(text)
    answers = f'case "$1" in *gpu=*) cat {folder}/gpus;; *apps=*) cat {folder}/apps;; *) cat {folder}/listing;; esac'
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script or answers}\n")
    path.chmod(0o755)
    return str(path)


def test_what_the_tool_prints_becomes_a_table(tmp_path: Path) -> None:
    table, note = read_table(smi(tmp_path, apps=APPS, listing=LISTING.replace("  MIG", "  NIX")))
    assert note == ""
    busy, idle, desktop, unknown = table
    assert busy.users == ((77, 0), (4242, 30900 << 20))
    assert busy.use == "used by process 77 and 1 more, 9.7 of 40.0 GiB free"
    assert (busy.busy, idle.busy, desktop.busy, unknown.busy) == (True, False, False, False)
    assert (unknown.total, unknown.free, unknown.use) == (None, None, "it is not known what uses it")
    filled = replace(idle, used=20 * GIB)
    assert filled.busy, "a process in another container is not listed"


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("echo 'No devices were found'; exit 6", "No devices were found"),
        ("echo 'No devices were found'", "lists none"),
        (
            'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
            "couldn't communicate",
        ),
        (
            "echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18",
            "version mismatch",
        ),
        ("exit 3", "failed with code 3"),
    ],
)
def test_why_there_is_no_gpu(tmp_path: Path, script: str, note: str) -> None:
    table, told = read_table(smi(tmp_path, script=script))
    assert table == ()
    assert note in told


def test_a_divided_gpu_is_its_instances() -> None:
    apps = "MIG-22222222-aaaa-5555-8888-000000000000, 9, [N/A]\n"
    table = table_of(GPUS, apps, LISTING)
    assert [gpu.index for gpu in table] == ["0", "1:0", "1:1", "2", "3"]
    first, second = table[1:3]
    assert (first.total, second.total) == (20 * 10**9, 5 * 10**9)
    assert (first.busy, second.busy) == (False, True)
    assert first.label == "GPU 1:0 (NVIDIA A100-SXM4-40GB MIG 3g.20gb)"


@pytest.mark.parametrize(
    ("given", "indexes"),
    [
        (None, "0 1:0 1:1 2 3"),
        ("", ""),
        ("-1", ""),
        ("NoDevFiles", ""),
        ("2,0", "2 0"),
        ("2,9,0", "2"),
        ("GPU-cccc,GPU-aaaa1111", "2 0"),
        ("MIG-2222", "1:1"),
        ("1", "1:0 1:1"),
        ("2,2", "2"),
    ],
)
def test_which_gpus_an_environment_allows(given: str | None, indexes: str) -> None:
    table = table_of(GPUS, "", LISTING)
    environment = {} if given is None else {VISIBLE: given}
    assert " ".join(gpu.index for gpu in visible(table, environment)) == indexes


def test_gpus_are_named_by_number_or_uuid() -> None:
    table = visible(table_of(GPUS, "", ""), {VISIBLE: "3,2,1"})
    assert [gpu.index for gpu in chosen_of(table, "0, cuda:2")] == ["3", "1"]
    assert [gpu.index for gpu in chosen_of(table, "GPU-cccc")] == ["2"]
    with pytest.raises(DeviceError, match=r"GPU 3 is not here \(there are: 0 is GPU 3 \(.*\), 1 is GPU 2 "):
        chosen_of(table, "3")
    with pytest.raises(DeviceError, match="names no GPU"):
        chosen_of(table, ",")


def test_numbers_of_gpus_that_differ_are_cudas(monkeypatch: pytest.MonkeyPatch) -> None:
    old = GPUS.replace("NVIDIA A100-SXM4-40GB, 40960, 31000", "NVIDIA T4, 15360, 0")
    table = table_of(old, "", "")
    assert counts_by_speed(table, {VISIBLE: "0"})
    assert counts_by_speed(table, {}, "cuda:1")
    assert not counts_by_speed(table, {})
    assert not counts_by_speed(table, {VISIBLE: "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    assert not counts_by_speed(table_of(GPUS, "", ""), {VISIBLE: "0"})
    seen = [GpuState(index="0", uuid=f"GPU-{table[1].uuid.removeprefix('GPU-')}", name="x")]
    monkeypatch.setattr("core.gpus.allowed.read_table", lambda: (table, ""))
    monkeypatch.setenv(VISIBLE, "0")
    assert allowed_here(by_cuda=lambda: seen).gpus == (table[1],)
    monkeypatch.setenv(VISIBLE, "")
    assert "allows none of 4 GPUs" in allowed_here().note
    assert as_counted((), seen) == tuple(seen)


def test_the_freest_gpu_comes_first_and_those_of_our_runs_last() -> None:
    table = table_of(GPUS, APPS, "")
    assert [gpu.index for gpu in ranked(table)] == ["1", "2", "3", "0"]
    assert [gpu.index for gpu in ranked(table, {table[1].uuid, table[2].uuid})] == ["3", "0", "1", "2"]
    without = without_own(table, 4242)
    assert without[0].users == ((77, 0),)
    assert without[0].free == 40860 << 20


def test_two_runs_that_start_at_once_take_different_gpus() -> None:
    table = table_of(GPUS, "", "")[1:3]
    first, second = take(table), take(table)
    assert (first.place, second.place) == (0, 1)
    assert first.why == "not in use, 40.0 of 40.0 GiB free; 2 of 2 GPUs are not in use"
    assert claims.claimed(table) == {gpu.uuid for gpu in table}
    assert claims.holder(table[0]) == f"process {os.getpid()}"
    shared = take(table)
    assert (shared.place, shared.lock) == (0, None)
    assert "shared" in shared.why
    for one in (first, second):
        assert one.lock is not None
        one.lock.close()
    assert claims.claimed(table) == set()


def test_a_folder_of_locks_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    table = table_of(GPUS, "", "")
    (tmp_path / f"torchtui-gpus-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"torchtui-gpus-{os.getuid()}").chmod(0o777)
    first, second = take(table), take(table)
    assert first.place == second.place == 1, "nothing keeps the second one off"
    for one in (first, second):
        assert isinstance(one.lock, FileLock)
        one.lock.close()


def machine(monkeypatch: pytest.MonkeyPatch, gpus: int, apps: str = "") -> None:
    """Stand in for a machine with so many GPUs."""
    table = table_of(GPUS, apps, "")[:gpus]
    names = [*(f"cuda:{place}" for place in range(gpus)), "cpu"]
    monkeypatch.setattr(process, "by_cuda", lambda: list(table))
    monkeypatch.setattr(process, "read_table", lambda: (table, ""))
    monkeypatch.setattr(devices, "_names", lambda: names)


def test_a_run_takes_a_free_gpu_and_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 3, APPS)
    assert str(devices.resolve("auto")) == "cuda:0", "nothing is taken before a run starts"
    process.take_gpu("auto")
    assert str(devices.resolve("auto")) == str(devices.resolve("cuda")) == "cuda:1"
    assert process.gpu_note().startswith(
        "device cuda:1 is GPU 1 (NVIDIA A100-SXM4-40GB): not in use, 40.0 of"
    )
    assert process.gpu_note().endswith("2 of 3 GPUs are not in use. training.device names another one")
    process.release_gpu()
    assert (process.taken(), process.gpu_note()) == (None, "")


def test_an_earlier_run_is_evaluated_on_a_free_gpu_which_stays_free_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, 3, APPS)
    name, note = process.gpu_to_evaluate("auto")
    assert name == "cuda:1"
    assert note.startswith("device cuda:1 is GPU 1 (NVIDIA A100-SXM4-40GB): not in use, 40.0 of")
    assert claims.claimed(table_of(GPUS, "", "")) == set()
    process.take_gpu("auto")
    assert process.taken() == 1
    assert process.gpu_to_evaluate("cuda")[0] == "cuda:2", "not beside what this process trains"
    assert process.gpu_to_evaluate("cuda:1") == ("cuda:1", "")
    assert process.gpu_to_evaluate("cpu") == ("cpu", "")
    machine(monkeypatch, 2, APPS)
    name, note = process.gpu_to_evaluate("auto")
    assert (name, "used by process 77" in note) == ("cuda:0", True)
    process.release_gpu()
    monkeypatch.setenv(process.GIVEN, "GPU 2")
    assert process.gpu_to_evaluate("auto") == ("auto", "")


def test_without_the_tool_the_first_gpu_that_no_other_run_has_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, 3)
    seen = [GpuState(index=str(place), uuid=str(place), name="Instinct", total=GIB) for place in range(3)]
    monkeypatch.setattr(process, "by_cuda", lambda: seen)
    monkeypatch.setattr(process, "read_table", lambda: ((), "no NVIDIA GPU: nvidia-smi is not installed"))
    held = claims.claim(seen[0])
    assert held is not None
    process.take_gpu("auto")
    assert process.taken() == 1
    assert "it is not known what uses it; one of 3 GPUs" in process.gpu_note()
    held.close()


def test_a_gpu_that_was_asked_for_is_taken_whoever_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 3, APPS)
    process.take_gpu("cuda:0")
    assert "used by process 77 and 1 more" in process.gpu_note()
    assert claims.claimed(table_of(GPUS, "", "")) == {table_of(GPUS, "", "")[0].uuid}
    process.take_gpu("cuda:2")
    assert (process.taken(), process.gpu_note()) == (2, "")


@pytest.mark.parametrize("name", ["cpu", "mps"])
def test_other_devices_take_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def ask() -> list[GpuState]:
        raise AssertionError

    monkeypatch.setattr(process, "by_cuda", ask)
    process.take_gpu(name)
    assert process.taken() is None


def test_the_only_gpu_is_reported_where_it_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = table_of(GPUS.replace("31000", "3"), "", "")[:1]
    machine(monkeypatch, 1)
    monkeypatch.setattr(process, "read_table", lambda: (idle, ""))
    process.take_gpu("auto")
    assert (process.taken(), process.gpu_note()) == (0, "")
    machine(monkeypatch, 1, APPS)
    process.take_gpu("auto")
    assert "the only GPU" in process.gpu_note()


def test_a_process_with_a_gpu_of_its_own_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(GPUS, "", "")
    environment = process.given_environment(table[2:3])
    assert environment[VISIBLE] == table[2].uuid
    monkeypatch.setenv(process.GIVEN, environment[process.GIVEN])
    process.take_gpu("auto")
    assert process.taken() is None
    assert process.gpu_note() == "it has GPU 2 (NVIDIA A100-SXM4-40GB), which was taken for it"


def test_a_process_whose_gpu_was_named_computes_on_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_names", lambda: ["cpu"])
    (gpu,) = table_of(GPUS, "", "")[2:3]
    for are_named in (False, True):
        for name, value in process.given_environment((gpu,), are_named=are_named).items():
            monkeypatch.setenv(name, value)
        if are_named:
            with pytest.raises(
                DeviceError, match=r"given GPU 2 \(NVIDIA A100-SXM4-40GB\), but PyTorch computes on no"
            ):
                devices.resolve("auto")
        assert str(devices.resolve("cpu" if are_named else "auto")) == "cpu"
    process.take_gpu("auto")
    assert process.gpu_note() == "it has GPU 2 (NVIDIA A100-SXM4-40GB), which was named for it"
