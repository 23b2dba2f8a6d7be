"""One of several processes that train a trial together; see `core.tuning.executors.group`."""

import os
import signal
import sys
from functools import partial
from multiprocessing.connection import Connection

from core.errors import TorchtuiError
from core.processes.endings import LAUNCHER, end_with_parent
from core.processes.labels import label_output
from core.session.preload import load_backend
from core.torchrun import ends_without_finalizing, is_first
from core.tuning.executors.group import CONNECTION
from core.tuning.executors.protocol import Ended, TrialTask
from core.tuning.executors.worker import Inbox, let_children_hear, reporter

__all__ = ["main"]


def main() -> None:
    """Train one trial, and exit with 0 unless it failed."""
    end_with_parent(int(os.environ[LAUNCHER]), signal.SIGKILL)
    handle = int(os.environ.pop(CONNECTION))
    with ends_without_finalizing():
        label_output()
        sys.exit(_lead(handle) if is_first() else _assist())


def _lead(handle: int) -> int:
    """Train as the first process, which the worker speaks with."""
    os.set_inheritable(handle, False)
    connection = Connection(handle)
    let_children_hear(connection)
    inbox = Inbox(connection)
    load_backend()
    import torch.distributed as dist

    from core.training.distributed import process_group
    from core.tuning.executors.trial import run_trial, train_trial

    task, control = inbox.tasks.get()
    with process_group() as group:
        dist.broadcast_object_list([task])
        train = partial(train_trial, group=group)
        outcome = run_trial(task, reporter(connection, inbox, task), control, train)
        connection.send(Ended(task.trial, outcome))
    return int(outcome.state == "failed")


def _assist() -> int:
    """Train as another process, which the first one reports for."""
    let_children_hear()
    load_backend()
    import torch.distributed as dist

    from core.training.distributed import process_group
    from core.tuning.executors.trial import assist_trial

    with process_group() as group:
        told: list[TrialTask | None] = [None]
        dist.broadcast_object_list(told)
        assert told[0] is not None
        try:
            assist_trial(told[0], group)
        except TorchtuiError as error:
            return error.exit_code
    return 0
