"""`tui doctor`: check this machine, or a network with its data, and say what to do about each problem."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.data.dataset import no_progress
from core.remedies import worded
from core.runs.folder import default_runs_dir
from core.session.preflight.finding import Finding, first_error
from core.user_code.loading import trust_named
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.config_options import with_config
from tui.cli.json_option import JsonOption
from tui.forms.remedies import command_line_words
from tui.headless.documents.envelope import print_document

if TYPE_CHECKING:
    from core.doctor.check import Check

__all__ = ["doctor"]

SIGNS = {"ok": "ok  ", "note": "note", "warning": "WARN", "error": "BAD "}
"""Levels of findings as the list shows them."""


@with_config
def doctor(
    values: dict[str, Any],
    network: Annotated[
        str,
        typer.Argument(metavar="[NETWORK]", help="Your network, such as mynet.py:Net.", show_default=False),
    ] = "",
    as_json: JsonOption = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds of training on each device.")
    ] = 5.0,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Check versions, devices, terminal and folders, and train briefly on each device; or try a network with its data.

    The exit code is 1 if there are problems.

    Examples: tui doctor --json

    tui doctor mynet.py:Net --data digits --batch-size 32
    """
    if network:
        trust_named(network)
        values = configuration.set_path(values, f"model.name={network}")
    if values:
        sys.exit(_try_network(configuration.from_dict(values), data_root, as_json))
    checks = []
    for check in _checks(runs or default_runs_dir(), data_root, seconds):
        check = replace(check, advice=worded(check.advice, command_line_words))
        checks.append(check)
        if not as_json:
            print(_line(check), flush=True)
    wrong = [check for check in checks if not check.ok]
    if as_json:
        from tui.headless.documents.looking_up import doctor_document

        print_document(doctor_document(checks))
    else:
        print(f"\n{len(wrong)} problem{'s' * (len(wrong) != 1)} found" if wrong else "\neverything works")
    sys.exit(1 if wrong else 0)


def _try_network(config: TrainConfig, data_root: Path | None, as_json: bool) -> int:
    """Print all findings of pre-flight; return the exit code."""
    from core.doctor.network import check_network

    findings = []
    for finding in check_network(config, data_root, no_progress):
        findings.append(finding)
        if not as_json:
            print(_finding_line(finding), flush=True)
    ok = first_error(findings) is None
    if as_json:
        from tui.headless.documents.looking_up import preflight_document

        print_document(preflight_document(findings))
    else:
        print("\nit can train" if ok else "\nit cannot train yet")
    return 0 if ok else 1


def _finding_line(finding: Finding) -> str:
    from tui.terminal.text import clean, fit

    message = f"\n     {clean(finding.message)}" if finding.message else ""
    advice = f"\n     -> {clean(worded(finding.hint, command_line_words))}" if finding.hint else ""
    return f"{SIGNS[finding.level]} {fit(finding.name, 48)} {finding.seconds:6.2f} s{message}{advice}"


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
        from core.doctor.several import check_several
        from core.doctor.training import check_training
        from core.tuning.executors.ray_executor import free_resources

        yield from check_training(runs_dir, seconds)
        yield from check_several(runs_dir, free_resources)


def _line(check: "Check") -> str:
    from tui.terminal.text import clean, fit

    sign = "ok " if check.ok else "BAD"
    advice = f"\n{' ' * 22}-> {clean(str(check.advice))}" if check.advice else ""
    return f"{sign} {fit(check.name, 18)} {clean(check.found)}{advice}"
