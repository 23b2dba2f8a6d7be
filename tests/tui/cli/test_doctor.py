"""`tui doctor` finds problems, advises how to fix them, and leaves nothing behind."""

import errno
import io
import json
import os
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from core.doctor import machine
from core.doctor.check import Check
from core.doctor.training import check_training
from core.errors import DeviceError
from core.remedies import worded
from tests.support.killed import die, in_a_killed_process
from tests.support.locks import refuse_locks
from tests.support.narrow import instance
from tests.tui.cli.conftest import Tui
from tui.terminal import checks as terminal_checks


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check no more than one process: test_several.py does the others."""
    found = [Check("two processes", True, "they communicate")]
    monkeypatch.setattr("core.doctor.several.check_several", lambda runs_dir, free_on_ray: iter(found))


def test_all_is_well(tui: Tui, tmp_path: Path) -> None:
    answer = tui("doctor --json --seconds 0.3")
    told = json.loads(answer.out)
    assert (answer.code, told["ok"], answer.err) == (0, True, "")
    found = {check["name"]: check for check in told["checks"]}
    assert {"python", "torch", "textual", "device cpu", "folder of runs", "train on cpu", "terminal"} <= set(
        found
    )
    assert found["two processes"]["ok"]
    assert "samples/s" in found["train on cpu"]["found"]
    assert list((tmp_path / "here").iterdir()) == []


def test_what_is_wrong_is_said_with_what_to_do(
    tui: Tui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "a-file").touch()
    monkeypatch.setattr("core.doctor.training.check_training", lambda runs_dir, seconds: iter(()))
    answer = tui("doctor --runs a-file/runs")
    assert answer.code == 1
    assert "BAD folder of runs" in answer.out
    assert "-> Give another with --runs" in answer.out
    assert "1 problem found" in answer.out


def test_packages_that_are_missing_or_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        machine, "requires", lambda name: ["no-such-thing>=2", "pytest>=999", "extra1; extra == 'x'"]
    )
    monkeypatch.setattr(machine, "version", lambda name: machine_version(name))
    found = {check.name: check for check in machine.check_versions()}
    assert found["no-such-thing"].found == "not installed"
    assert found["no-such-thing"].advice == 'pip install "no-such-thing>=2"'
    assert ">=999 is needed" in found["pytest"].found
    assert not found["pytest"].ok
    assert found["optional packages"].ok
    assert "extra1" not in found


def machine_version(name: str) -> str:
    if name in ("no-such-thing", "extra1"):
        raise PackageNotFoundError
    return "8.0"


def test_a_package_that_developers_need_too_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ["pytest; extra == 'report'", "pytest; extra == 'dev'"]
    monkeypatch.setattr(machine, "requires", lambda name: both)
    *_, optional = machine.check_versions()
    assert optional.found == f"pytest {pytest.__version__}"


def test_an_optional_package_that_is_too_old_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["pytest>=999; extra == 'report'", "pytest; extra == 'dev'", "no-such-thing; extra == 'x'"]
    monkeypatch.setattr(machine, "requires", lambda name: needed)
    *_, optional, old = machine.check_versions()
    assert optional.ok
    assert not old.ok
    assert old.found == f"{pytest.__version__}, but >=999 is needed"


def test_prereleases_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "version", lambda name: "2.15.0.dev1")
    assert machine._check_package(Requirement("torch>=2.9")).ok


def test_a_gpu_that_torch_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("core.doctor.machine.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    wrong = [check for check in machine.check_devices() if not check.ok]
    assert [check.advice for check in wrong] == ["Install a build of torch with CUDA"]


def test_a_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (only,) = machine.check_devices()
    assert not only.ok
    assert "cannot be imported" in only.found


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FREE_BYTES", 1 << 80)
    check = machine.check_folder("runs", tmp_path / "not" / "there", "--runs")
    assert not check.ok
    assert instance(str, check.advice).startswith("Free some space")


def test_what_a_killed_process_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("core.doctor.training._train", die)
        in_a_killed_process(lambda: list(check_training(tmp_path, 0.1)))
    assert len([*tmp_path.glob(".torchtui-*")]) == 1
    monkeypatch.setattr("core.doctor.training._train", lambda *_: Check("train", True, ""))
    assert {check.name for check in check_training(tmp_path, 0.1)} == {"train"}
    assert [*tmp_path.iterdir()] == []


def test_a_device_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise DeviceError("the processor is on fire")

    monkeypatch.setattr("core.doctor.training.prepare", fail)
    (check,) = (check for check in check_training(tmp_path, 0.1) if check.name == "train on cpu")
    assert (check.ok, check.found) == (False, "the processor is on fire")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_disk_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(monkeypatch, errno.ENOSYS)
    (check,) = (check for check in check_training(tmp_path, 0.2) if check.name == "train on cpu")
    assert not check.ok
    assert "samples/s" in check.found
    assert "has no locks" in check.found
    assert worded(check.advice) == "Give another folder for the runs"


def test_a_disk_that_fails_is_not_blamed_on_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(monkeypatch, errno.EIO)
    (check,) = (check for check in check_training(tmp_path, 0.2) if check.name == "train on cpu")
    assert not check.ok
    assert check.found.endswith("run.lock: Input/output error")
    assert "another folder for the runs" in worded(check.advice)


@pytest.mark.parametrize(
    ("settings", "ok", "found"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, True, "16 million"),
        ({"TERM": "xterm-256color"}, True, "256"),
        ({"TERM": "dumb"}, False, "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, "none, because NO_COLOR is set"),
    ],
)
def test_colours_of_a_terminal(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], ok: bool, found: str
) -> None:
    class Screen:
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None: ...

    for name in ("COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tui.terminal.graphics.ask_for_graphics", lambda: None)
    monkeypatch.setattr(sys, "stdin", Screen())
    monkeypatch.setattr(sys, "stdout", Screen())
    with monkeypatch.context() as patch:  # pytest asks shutil, too, as soon as the test has ended
        patch.setattr("tui.terminal.checks.shutil.get_terminal_size", lambda: terminal_size(60, 24))
        checks = {check.name: check for check in terminal_checks.check_terminal()}
    assert (checks["colours"].ok, checks["colours"].found) == (ok, found)
    assert not checks["characters"].ok
    assert checks["size"] == Check("size", False, "60x24", "Make the window 80x24 or larger")


@pytest.mark.parametrize(
    ("widget", "found"),
    [
        ("", "as half blocks"),
        ("SixelImage", "as pixels (Sixel)"),
        ("TGPImage", "as pixels (kitty's protocol)"),
    ],
)
def test_how_a_terminal_shows_pictures(monkeypatch: pytest.MonkeyPatch, widget: str, found: str) -> None:
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())  # the library would ask the terminal
    kind = getattr(import_module("textual_image.widget"), widget) if widget else None
    monkeypatch.setattr("tui.terminal.graphics.ask_for_graphics", lambda: None)
    monkeypatch.setattr("tui.terminal.graphics.image_widget", kind)
    assert terminal_checks._pictures() == Check("pictures", True, found)


def terminal_size(columns: int, rows: int) -> os.terminal_size:
    return os.terminal_size((columns, rows))
