"""A background process, which keeps training after the app or the shell has gone."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from core.counting import counted
from tui.runtime.hosts.host import Host, Started, WantedRun, new_folders
from tui.runtime.hosts.launching import launch_in_background
from tui.runtime.hosts.log_host import LogHost

__all__ = ["Background"]


class Background(Host):
    """A process of its own, which keeps training after the app quits, or the terminal closes."""

    TITLE: ClassVar = "background process"
    name: Literal["background"] = "background"

    def start(self, wanted: WantedRun) -> Started:
        run = wanted.folder()
        process = launch_in_background(run, wanted.data_root)
        return Started(LogHost(run, process), f"{run.id} trains in the background")

    def start_all(self, wanted: Sequence[WantedRun], repeats: Sequence[str]) -> Started:
        with new_folders(wanted) as (first, *others):
            process = launch_in_background(first, wanted[0].data_root, more=repeats)
        message = f"{first.id} trains in the background, {counted(len(others), 'other')} after it"
        return Started(LogHost(first, process), message, others=others)
