"""Hosts: what each executes, and profiles of their settings."""

import re
import shlex
import sys
from functools import partial
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.errors import ConfigError, DeviceError, InputError
from core.gpus.allowed import Allowed, chosen_of
from core.gpus.table import GpuState
from tui.forms.form_fields import specs_of
from tui.forms.option_form import errors_in, flags_for, texts_of, values_in
from tui.runtime.hosts import processes
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import Host, WantedRun, executable
from tui.runtime.hosts.processes import Processes
from tui.runtime.hosts.profiles import (
    delete_profile,
    load_profile,
    profile_names,
    profiles_folder,
    rename_profile,
    save_profile,
)
from tui.runtime.hosts.registry import HOSTS, make_host
from tui.runtime.hosts.slurm import Slurm

FIRST, SECOND = (GpuState(index=index, uuid=f"GPU-{index}", name="T4") for index in "01")
TRAIN = ["tui", "train", "--no-ui", "--name", "tui torchrun"]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))


def test_several_processes_are_started_by_the_command_itself() -> None:
    host = Processes(processes=4, gpus=(0, 2), restarts=3)
    assert shlex.join(host.command(TRAIN)) == (
        "tui train --no-ui --name 'tui torchrun' --processes 4 --gpus 0,2 --restarts 3"
    )
    assert (Processes().count, Processes(gpus=(0, 1, 2)).count) == (2, 3)
    assert Here().command(TRAIN) == Background().command(TRAIN) == TRAIN


def test_gpus_that_are_not_there_or_too_few_start_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(names: str, by_cuda: object) -> Allowed:
        return Allowed(chosen_of(gpus, names, "no NVIDIA GPU here"))

    monkeypatch.setattr(processes, "allowed_here", here)
    wanted = WantedRun(TrainConfig(), tmp_path / "runs", None)
    for gpus, count, problem in (
        ((), 2, "GPU 1 is not here (no NVIDIA GPU here)"),
        ((FIRST,), 2, "GPU 1 is not here (there are: 0 is GPU 0 (T4))"),
        ((FIRST, SECOND), 3, "each process needs a GPU of its own: 3 processes on 2 GPUs"),
    ):
        host = Processes(processes=count, gpus=(0, 1) if gpus else (1,))
        for start in (partial(host.execute, TRAIN), partial(host.start, wanted)):
            with pytest.raises(DeviceError, match=re.escape(problem)):
                start()
    assert not wanted.runs_dir.exists()


def test_what_is_executed_does_not_depend_on_the_search_path() -> None:
    words = executable(["torchrun", "--nproc-per-node", "2", "--no-python", *TRAIN])
    assert words[:4] == [sys.executable, "-P", "-m", "torch.distributed.run"]
    assert words[6:] == ["--no-python", sys.executable, "-P", "-m", "torchtui", *TRAIN[1:]]
    assert executable(TRAIN) == [sys.executable, "-P", "-m", "torchtui", *TRAIN[1:]]


CLUSTER = Slurm(
    partition="gpu",
    time="04:00:00",
    sbatch=("--gres=gpu:1,tmp:4", "--mail-type=END,FAIL"),
    setup=("module load cuda", "source ~/env/bin/activate"),
)


@pytest.mark.parametrize(
    "host", [*(kind() for kind in HOSTS.values()), Processes(processes=8, gpus=(1, 3)), CLUSTER]
)
def test_a_host_is_the_same_after_a_form_and_after_a_profile(host: Host) -> None:
    texts = texts_of(host, "run_in")
    assert [*texts] == [spec.path for spec in specs_of(type(host), "run_in")]
    assert make_host({"name": host.host_name} | values_in(type(host), texts, "run_in")) == host
    save_profile("my gpus", host)
    assert load_profile("my gpus") == host


def test_flags_give_what_differs_from_the_defaults() -> None:
    assert flags_for(Processes(gpus=(1, 3))) == ["--gpus", "1,3"]
    assert flags_for(Processes(processes=3)) == ["--processes", "3"]
    assert flags_for(Background()) == []
    lines = ["--sbatch", "--gres=gpu:1,tmp:4", "--sbatch", "--mail-type=END,FAIL"]
    assert flags_for(CLUSTER)[4:8] == lines


def test_a_wrong_setting_is_told_at_its_field() -> None:
    values = values_in(Processes, {"run_in.processes": "-1", "run_in.gpus": "0, x"}, "run_in")
    assert errors_in(Processes, values, "run_in") == {
        "run_in.processes": "got -1, takes a number >= 0",
        "run_in.gpus": "got 'x', takes a whole number",
    }


def test_profiles_are_renamed_and_deleted() -> None:
    save_profile("a", Background())
    save_profile("b", Processes(processes=2))
    with pytest.raises(InputError, match="there is a profile 'b' already"):
        rename_profile("a", "b")
    rename_profile("a", "c 1")
    delete_profile("b")
    assert profile_names() == ["c 1"]
    assert load_profile("c 1") == Background()


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "x" * 61, "a\x1b[2J"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a profile"):
        save_profile(name, Background())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("run_in: {name: mars}", "no such host 'mars'"),
        ("run_in: {name: processes, processes: many}", "got 'many', takes a whole number"),
        ("run_in: {name: processes, speed: 3}", "unknown key"),
        ("data: {name: iris}", "has no section run_in"),
        ("run_in: !!python/object:os.system {}", "is not YAML"),
    ],
)
def test_a_damaged_profile_is_told_by_its_name(text: str, problem: str) -> None:
    profiles_folder().mkdir(parents=True)
    (profiles_folder() / "old.yaml").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        load_profile("old")


def test_a_profile_that_is_not_there_names_those_that_are() -> None:
    save_profile("gpus", Processes())
    with pytest.raises(InputError, match=r"no profile 'cpus'. Known: gpus"):
        load_profile("cpus")
