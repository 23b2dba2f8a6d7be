"""`tui doctor`: whether everything works here, and what to do where it does not."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.remedies import worded
from core.runs.folder import default_runs_dir
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.json_option import JsonOption
from tui.forms.remedies import command_line_words
from tui.runtime.streams import print_result

if TYPE_CHECKING:
    from core.doctor.check import Check

__all__ = ["doctor"]


def doctor(
    as_json: JsonOption = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds of training on each device.")
    ] = 5.0,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Check versions, devices, terminal and folders, and train briefly on each device.

    The exit code is 1 if there are problems.

    Example: tui doctor --json
    """
    checks = []
    for check in _checks(runs or default_runs_dir(), data_root, seconds):
        check = replace(check, advice=worded(check.advice, command_line_words))
        checks.append(check)
        if not as_json:
            print(_line(check), flush=True)
    wrong = [check for check in checks if not check.ok]
    if as_json:
        print_result(json.dumps({"v": 1, "ok": not wrong, "checks": [asdict(check) for check in checks]}))
    else:
        print(f"\n{len(wrong)} problem{'s' * (len(wrong) != 1)} found" if wrong else "\neverything works")
    sys.exit(1 if wrong else 0)


def _checks(runs_dir: Path, data_root: Path | None, seconds: float) -> "Iterator[Check]":
    from core.data.registry import default_root
    from core.doctor.machine import check_devices, check_folder, check_versions
    from tui.terminal.checks import check_terminal

    yield from check_versions()
    yield from check_terminal()
    yield check_folder("folder of runs", runs_dir, "--runs")
    yield check_folder("folder of data", data_root or default_root(), "--data-root")
    can_train = True
    for check in check_devices():
        can_train = can_train and check.name != "devices"
        yield check
    if can_train:
        from core.doctor.training import check_training

        yield from check_training(runs_dir, seconds)


def _line(check: "Check") -> str:
    from tui.terminal.text import clean, fit

    sign = "ok " if check.ok else "BAD"
    advice = f"\n{' ' * 22}-> {clean(str(check.advice))}" if check.advice else ""
    return f"{sign} {fit(check.name, 18)} {clean(check.found)}{advice}"
