"""Several processes on this machine that share each batch, started by torchrun."""

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui.runtime.hosts.host import TORCHRUN, Host, Started, WantedRun, executable
from tui.runtime.hosts.launching import launch_words
from tui.runtime.hosts.log_host import LogHost

__all__ = ["Processes"]

VISIBLE = "CUDA_VISIBLE_DEVICES"


class Processes(Host):
    """Several processes on this machine that share each batch; torchrun starts them."""

    TITLE: ClassVar = "several processes"
    HERE: ClassVar = True
    name: Literal["processes"] = "processes"
    processes: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processes that share each batch; 0 is one for each GPU that is named, or 2."""
    gpus: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Numbers of the GPUs that they use, such as 0,1; empty for all."""

    @property
    def count(self) -> int:
        """How many processes there are."""
        return self.processes or len(self.gpus) or 2

    def environment(self) -> Mapping[str, str]:
        return {VISIBLE: ",".join(map(str, self.gpus))} if self.gpus else {}

    def command(self, train: Sequence[str]) -> list[str]:
        return [TORCHRUN, "--standalone", "--nproc-per-node", str(self.count), "--no-python", *train]

    def start(self, wanted: WantedRun) -> Started:
        run = wanted.folder()
        words = executable(self.command(wanted.resume_words(run)))
        process = launch_words(run, words, {**os.environ, **self.environment()})
        return Started(LogHost(run, process), f"{run.id} trains in {self.count} processes")
