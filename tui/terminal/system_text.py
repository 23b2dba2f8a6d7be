"""The machine as lines of text: bars of what is in use, then a table of processes."""

from collections.abc import Iterator, Sequence

from core.counting import counted
from core.observers.machine_state import Gpu, MachineState, Process
from tui.terminal.text import UNKNOWN, bytes_, fit, percent

__all__ = ["process_lines", "system_lines", "system_title"]

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"
BAR = 20
FULL = 0.9
"""A share from which on memory and disks are marked: what comes next may not fit."""
HEAD = ("pid", "user", "CPU %", "memory", "GPU", "command")
WIDTHS = (8, 10, 7, 9, 9)


def system_title(state: MachineState) -> str:
    """Return whose state it is."""
    return f"{state.host}  {counted(state.cores, 'core')}"


def system_lines(state: MachineState, width: int) -> list[str]:
    """Return a line for each thing that can be full, none wider than `width` cells."""
    return [fit(line, width).rstrip() for line in _things(state, width)]


def process_lines(processes: Sequence[Process], width: int) -> list[str]:
    """Return a table of processes, its head first; without a column of GPUs where none uses one."""
    on_gpu = any(each.gpu_memory is not None for each in processes)
    return [_row(cells, width, on_gpu) for cells in (HEAD, *map(_cells, processes))]


def _things(state: MachineState, width: int) -> Iterator[str]:
    load = "   load " + " ".join(f"{value:.1f}" for value in state.load) if state.load else ""
    yield _line("CPU", state.cpu / 100, load.strip(), mark=False)
    cores = "".join(LEVELS[min(int(value / 12.5), 7)] for value in state.per_core)
    if len(cores) > 1:
        yield f"  cores    {fit(cores, max(width - 11, 1)).rstrip()}"
    yield _line(
        "memory", _share(state.memory_used, state.memory_total), _of(state.memory_used, state.memory_total)
    )
    if state.swap_total:
        yield _line("swap", _share(state.swap_used, state.swap_total), _of(state.swap_used, state.swap_total))
    for disk in state.disks:
        used = _share(disk.total - disk.free, disk.total)
        yield _line("disk", used, f"{bytes_(disk.free)} free of {bytes_(disk.total)}   {disk.path}")
    for gpu in state.gpus:
        yield _line(f"GPU {gpu.index}", None if gpu.use is None else gpu.use / 100, _facts(gpu), mark=False)
        if gpu.memory_used is not None and gpu.memory_total:
            memory = _of(gpu.memory_used, gpu.memory_total)
            yield _line(" memory", _share(gpu.memory_used, gpu.memory_total), memory)
    if state.gpu_note:
        yield f"  GPU      {state.gpu_note}"


def _facts(gpu: Gpu) -> str:
    heat = f"{gpu.temperature:.0f} °C   " if gpu.temperature is not None else ""
    power = f"{gpu.power:.0f} W   " if gpu.power is not None else ""
    return f"{heat}{power}{gpu.name}"


def _line(name: str, share: float | None, facts: str, *, mark: bool = True) -> str:
    """Return a name, a bar, per cent and facts; what is nearly full has a sign."""
    sign = "▲" if mark and share is not None and share >= FULL else " "
    shown = UNKNOWN if share is None else f"{percent(share, 0)} %"
    return f"{sign} {name:8} {_bar(share or 0.0)} {shown:>5}   {facts}"


def _bar(share: float) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * BAR * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(BAR, "·")


def _share(used: int, total: int) -> float:
    return used / total if total else 0.0


def _of(used: int, total: int) -> str:
    return f"{bytes_(used)} of {bytes_(total)}"


def _cells(process: Process) -> tuple[str, ...]:
    gpu = "" if process.gpu_memory is None else bytes_(process.gpu_memory)
    program, space, rest = process.command.partition(" ")
    command = program.rpartition("/")[2] + space + rest
    return (str(process.pid), process.user, f"{process.cpu:.1f}", bytes_(process.memory), gpu, command)


def _row(cells: Sequence[str], width: int, on_gpu: bool) -> str:
    *first, command = cells
    shown = [
        fit(cell, size, align="<" if place == 1 else ">")
        for place, (cell, size) in enumerate(zip(first, WIDTHS, strict=True))
    ]
    before = "".join(f"{cell}  " for cell in shown[: len(shown) if on_gpu else -1])
    return before + fit(command, max(width - len(before), 0)).rstrip()
