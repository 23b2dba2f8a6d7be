"""Machinery that trains a run, and the memory of it and of its GPU on this machine."""

import os
import socket
import sys

from core.counting import counted
from core.events import RunStarted
from tui.terminal.text import bytes_

__all__ = ["machinery", "memory_text"]


def machinery(started: RunStarted) -> list[str]:
    """Return what trains a run, such as ``cpu`` and ``2 threads``; of several processes how many, and what each has."""
    threads = [counted(started.threads, "thread")] if started.threads else []
    if started.processes <= 1:
        return [*filter(None, [started.device]), *threads]
    device = started.device.partition(":")[0]  # each has a GPU of its own
    parts = [
        counted(started.processes, "process", "processes"),
        device,
        *(f"{each} each" for each in threads),
    ]
    return [*filter(None, parts)]


def memory_text(started: RunStarted, in_app: bool) -> str:
    """Memory in use by the process that trains, and on its GPU; empty when it is gone or on another machine."""
    import psutil  # takes time

    pid = os.getpid() if in_app else started.pid
    if not in_app and started.host != socket.gethostname():
        return ""
    try:
        parts = [f"memory {bytes_(psutil.Process(pid).memory_info().rss)}"]
    except psutil.Error:
        return ""
    torch = sys.modules.get("torch")
    if started.device.startswith("cuda") and torch is not None and torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info(started.device)
        parts.append(f"GPU {bytes_(total - free)} of {bytes_(total)}")
    return "  ".join(parts)
