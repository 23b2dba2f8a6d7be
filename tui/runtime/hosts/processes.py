"""Several processes on this machine that share each batch."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.counting import counted
from core.errors import DeviceError
from core.gpus.allowed import allowed_here
from core.gpus.process import by_cuda, given_environment
from core.processes.launcher import Launcher
from core.runs.lock import HANDED_OVER
from core.torchrun import STARTED_WITH
from tui.runtime.hosts.host import Bounds, Host, Started, WantedRun, executable, new_folders
from tui.runtime.hosts.launching import launch_in_background
from tui.runtime.hosts.log_host import LogHost
from tui.runtime.signals import hand_on_signals, ignore_hangup

__all__ = ["Processes"]


class Processes(Host):
    """Several processes on this machine that share each batch."""

    TITLE: ClassVar = "several processes"
    HERE: ClassVar = True
    name: Literal["processes"] = "processes"
    processes: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processes that share each batch; 0 is one for each GPU that is named, or 2."""
    gpus: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Numbers of the GPUs that they use, such as 0,1; empty for all."""
    restarts: Annotated[int, Field(ge=0, le=1000)] = 0
    """How often all resume from the last checkpoint after one of them was killed."""

    @property
    def asks_others(self) -> bool:
        return bool(self.gpus)

    @property
    def count(self) -> int:
        """How many processes there are."""
        return self.processes or len(self.gpus) or 2

    def command(self, train: Sequence[str]) -> list[str]:
        words = [*train, "--processes", str(self.count)]
        words += ["--gpus", ",".join(map(str, self.gpus))] if self.gpus else []
        return words + (["--restarts", str(self.restarts)] if self.restarts else [])

    def execute(self, train: Sequence[str]) -> int:
        environment = {**os.environ, **self._gpus_given(), STARTED_WITH: shlex.join(self.command([]))}
        lock = int(os.environ.pop(HANDED_OVER, "-1"))
        launcher = Launcher(executable(train), self.count, self.restarts, environment, lock, _report)
        with ignore_hangup(), hand_on_signals(launcher.send):
            return launcher.run()

    def start(self, wanted: WantedRun) -> Started:
        self._gpus_given()
        run = wanted.folder()
        process = launch_in_background(run, wanted.data_root, more=self.command([]))
        return Started(LogHost(run, process), f"{run.id} trains in {self.count} processes")

    def start_all(self, wanted: Sequence[WantedRun], repeats: Sequence[str]) -> Started:
        self._gpus_given()
        with new_folders(wanted) as (first, *others):
            more = [*repeats, *self.command([])]
            process = launch_in_background(first, wanted[0].data_root, more=more)
        message = f"{first.id} trains in {self.count} processes, {counted(len(others), 'other')} after it"
        return Started(LogHost(first, process), message, others=others)

    def limits(self) -> Mapping[str, Bounds]:
        gpus = allowed_here().gpus
        values = {str(place): gpu.label for place, gpu in enumerate(gpus)}
        return {
            "processes": Bounds("0: one a GPU, or 2"),
            "gpus": Bounds(f"0 … {len(gpus) - 1}" if gpus else "no NVIDIA GPU here", values),
        }

    def _gpus_given(self) -> Mapping[str, str]:
        """Return variables with which the processes see the GPUs that were named; none where none was.

        Raises:
            DeviceError: one is not there, or there are fewer than processes.
        """
        if not self.gpus:
            return {}
        found = allowed_here(",".join(map(str, self.gpus)), by_cuda).gpus
        if len(found) < self.count:
            given = f"{counted(self.count, 'process', 'processes')} on {counted(len(found), 'GPU')}"
            raise DeviceError(f"each process needs a GPU of its own: {given}", "Name more, or start fewer")
        return given_environment(found, are_named=True)


def _report(text: str) -> None:
    with suppress(OSError):  # nobody may be left to read it
        print(text, file=sys.stderr, flush=True)
