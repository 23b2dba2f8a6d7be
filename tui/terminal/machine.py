"""Memory of a training process and of its GPU on this machine."""

import os
import socket
import sys

import psutil

from core.events import RunStarted
from tui.terminal.text import bytes_

__all__ = ["memory_text"]


def memory_text(started: RunStarted, in_app: bool) -> str:
    """Memory in use by the process that trains, and on its GPU; empty when it is gone or on another machine."""
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
