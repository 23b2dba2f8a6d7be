"""`tui system`: this machine and its processes."""

import shutil
import time
from typing import Annotated

import typer

from core.runs.folder import default_runs_dir
from tui.cli.app import RunsOption
from tui.cli.json_option import JsonOption

__all__ = ["system"]

SECONDS = 0.5
"""Over which per cent of CPU are measured."""
WIDTH = 100


def system(
    as_json: JsonOption = False,
    processes: Annotated[int, typer.Option("--processes", min=0, max=40, help="Processes to list.")] = 10,
    runs: RunsOption = None,
) -> None:
    """Show this machine: CPU, memory, disk, GPUs, and the processes that use them most.

    Example: tui system
    """
    from core.observers.machine_state import MachineWatch

    watch = MachineWatch([runs or default_runs_dir()])
    watch.look()
    time.sleep(SECONDS)
    state = watch.look()
    if as_json:
        from tui.headless.documents.envelope import print_document
        from tui.headless.documents.looking_up import system_document

        print_document(system_document(state, processes))
        return
    from tui.terminal.system_text import process_lines, system_lines, system_title

    width = shutil.get_terminal_size((WIDTH, 0)).columns
    print(system_title(state))
    for line in [*system_lines(state, width), "", *process_lines(state.processes[:processes], width)]:
        print(line)
