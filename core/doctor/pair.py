"""Two processes that communicate, as those of one run do; they end with their time limit."""

import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from core.safe_path import safe_import_path

__all__ = ["meet"]

SECONDS = 60.0
"""For two processes that import torch, on a machine that has other things to do."""


def meet(backend: str, seconds: float = SECONDS) -> str:
    """Let two processes add up their numbers; return what went wrong, empty if they did.

    Args:
        backend: of torch.distributed; ``nccl`` takes the first two GPUs.
    """
    context = multiprocessing.get_context("spawn")
    answers: SimpleQueue[str] = context.SimpleQueue()
    with tempfile.TemporaryDirectory(prefix=".torchtui-") as folder:
        given = (backend, str(Path(folder) / "meeting"), seconds, answers)
        pair = [context.Process(target=_add_up, args=(rank, *given), daemon=True) for rank in (0, 1)]
        with safe_import_path():
            for process in pair:
                process.start()
        late = _end(pair, time.monotonic() + seconds)
    said = [answers.get() for _ in pair if not answers.empty()]
    if problem := next((text for text in said if text != "3.0"), ""):
        return problem
    if len(said) == len(pair):
        return ""
    if late:
        return f"they did not find each other within {seconds:.0f} s"
    return f"one of them ended with code {next((one.exitcode for one in pair if one.exitcode), 0)}"


def _end(pair: Sequence[BaseProcess], deadline: float) -> bool:
    """Wait for processes, kill those that are late, and return whether one was."""
    for process in pair:
        process.join(max(0.0, deadline - time.monotonic()))
    late = [process for process in pair if process.is_alive()]
    for process in late:
        process.kill()
        process.join()
    return bool(late)


def _add_up(rank: int, backend: str, meeting: str, seconds: float, answers: "SimpleQueue[str]") -> None:
    """Add the numbers of both processes up, in one of them."""
    from datetime import timedelta

    import torch
    import torch.distributed as dist

    try:
        limit = timedelta(seconds=seconds)
        dist.init_process_group(
            backend, init_method=f"file://{meeting}", rank=rank, world_size=2, timeout=limit
        )
        number = torch.tensor(float(rank + 1), device=f"cuda:{rank}" if backend == "nccl" else "cpu")
        dist.all_reduce(number)
        answers.put(str(number.item()))
        dist.destroy_process_group()
    except Exception as error:  # PyTorch's backends raise errors of many kinds
        answers.put(str(error).strip().partition("\n")[0] or type(error).__name__)
