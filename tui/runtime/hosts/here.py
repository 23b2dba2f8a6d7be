"""This app, or this command: the run trains where it was started."""

from typing import ClassVar, Literal

from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.host import Host, Started, WantedRun

__all__ = ["Here"]


class Here(Host):
    """This app, or the command itself: it trains while that is open."""

    TITLE: ClassVar = "this app"
    HERE: ClassVar = True
    name: Literal["here"] = "here"

    def start(self, wanted: WantedRun) -> Started:
        host = AppHost(
            wanted.config, wanted.runs_dir, wanted.data_root, wanted.run, wanted.name, wanted.together
        )
        return Started(host)
