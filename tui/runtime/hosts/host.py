"""The shape of every place where a run can train: its settings, and how a run is started there.

A host is an `Options` class, so that form, flags and profiles are made of its fields. Where a run trains does not
change what it computes, which is why none of it is part of a configuration.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

from core.config.schema import TrainConfig
from core.errors import TorchtuiError
from core.options import Options
from core.runs.creating import create_run, write_config
from core.runs.delete import delete
from core.runs.folder import Run
from core.runs.lock import hold
from core.runs.origin.environment import write_environment
from core.runs.problems import LENGTHS
from core.safe_path import TUI_COMMAND
from tui.runtime.hosts.run_host import RunHost

__all__ = [
    "TORCHRUN",
    "TORCHRUN_MODULE",
    "TUI",
    "Bounds",
    "Host",
    "Started",
    "WantedRun",
    "executable",
    "new_folders",
]

TUI, TORCHRUN = "tui", "torchrun"
"""First words of commands, as people write them."""
TORCHRUN_MODULE = (sys.executable, "-P", "-m", "torch.distributed.run")


@dataclass(frozen=True)
class WantedRun:
    """A run that is to be trained.

    Attributes:
        name: what the user calls a new one.
        run: an existing one to resume; None for a new one, which gets its folder when it is started.
        together: the start of several runs that a new one belongs to, see `core.runs.origin.together`; empty for none.
    """

    config: TrainConfig
    runs_dir: Path
    data_root: Path | None
    name: str = ""
    run: Run | None = None
    together: str = ""

    def folder(self) -> Run:
        """Return the run, made now if it is new; one that is resumed keeps the length that is wanted now.

        Raises:
            TorchtuiError: its folder cannot be made, or its configuration not be written, as while it is trained.
        """
        if self.run is None:
            document = partial(write_environment, together=self.together)
            return create_run(self.runs_dir, self.config, also=document, name=self.name)
        if _length(self.config) != _length(self.run.config()):
            with hold(self.run):
                write_config(self.run, self.config)
        return self.run

    def resume_words(self, run: Run) -> list[str]:
        """Return the command that trains the run once it has its folder."""
        words = [TUI, "train", "--no-ui", "--resume", str(run.path.resolve())]
        return words + (["--data-root", str(self.data_root)] if self.data_root is not None else [])


def _length(config: TrainConfig) -> list[object]:
    """Return what may change when a run is resumed: elsewhere it is read from its folder."""
    return [getattr(config.training, name) for name in sorted(LENGTHS)]


@contextmanager
def new_folders(wanted: Sequence[WantedRun]) -> Iterator[list[Run]]:
    """Context manager with runs, whose folders are made now where they are new, and deleted again after an error.

    Raises:
        TorchtuiError: a folder cannot be made.
    """
    runs: list[Run] = []
    try:
        for one in wanted:
            runs.append(one.folder())
        yield runs
    except TorchtuiError:
        for one, run in zip(wanted, runs, strict=False):
            if one.run is None:
                with suppress(TorchtuiError):  # one that trains already
                    delete(run)
        raise


@dataclass(frozen=True)
class Started:
    """A run that was started somewhere.

    Attributes:
        host: to follow it.
        message: where it is now, one sentence; empty where that is plain to see.
        stop: words of the command that takes it back before it trains, where that is not the one that stops it.
        others: of the same folds or seeds, in order.
    """

    host: RunHost
    message: str = ""
    stop: Sequence[str] = ()
    others: Sequence[Run] = ()


@dataclass(frozen=True)
class Bounds:
    """Values that a setting may have at a place now.

    Attributes:
        hint: in a few words.
        values: some to choose from, each with what there is to know about it; others may be given, too.
    """

    hint: str
    values: Mapping[str, str] = field(default_factory=dict)


class Host(Options):
    """A place where a run can train.

    Attributes:
        TITLE: what a form calls it.
        APART: each fold or seed is started by itself there, rather than one after the other by one process.
        HERE: the command that starts a run trains it, in its own terminal, and ends with it.
        AT_ONCE: training starts at once there, so that whoever started it can wait for that, and report why it did not.
    """

    TITLE: ClassVar[str]
    APART: ClassVar[bool] = False
    HERE: ClassVar[bool] = False
    AT_ONCE: ClassVar[bool] = True

    @property
    def host_name(self) -> str:
        """Its name in the registry."""
        return str(type(self).model_fields["name"].default)

    @property
    def asks_others(self) -> bool:
        """Return whether `start` waits for another program, which may be slow to answer."""
        return not self.AT_ONCE

    @classmethod
    def unavailable(cls) -> str:
        """Return why nothing can train there from this machine, a sentence without its period; empty if it can."""
        return ""

    def command(self, train: Sequence[str]) -> list[str]:
        """Return the command that is executed there.

        Args:
            train: the headless command that trains the run in one process; its first word is `TUI`.
        """
        return [*train]

    def execute(self, train: Sequence[str]) -> int:
        """Train in this process or its children, if that is `HERE`, and return the exit code.

        Args:
            train: as for `command`.
        """
        raise NotImplementedError

    def script(self, train: Sequence[str]) -> str:
        """Return the text of the job script that is submitted; empty where there is none."""
        return ""

    def limits(self) -> Mapping[str, Bounds]:
        """Return what settings may be there now, by their names; may take seconds."""
        return {}

    def forecast(self, should_stop: Callable[[], bool]) -> str:
        """Return what a run would meet there if it were started now, in one line; empty if it would start at once.

        Args:
            should_stop: asked meanwhile, since it may take seconds; once it is true nobody waits for the answer.

        Raises:
            TorchtuiError: it could not start, or nothing is known.
        """
        return ""

    def start(self, wanted: WantedRun) -> Started:
        """Start a run there, and return at once.

        Raises:
            TorchtuiError: it cannot be started.
        """
        raise NotImplementedError

    def start_all(self, wanted: Sequence[WantedRun], repeats: Sequence[str]) -> Started:
        """Start runs that differ in fold or seed alone there, and return at once.

        Args:
            wanted: those that are not trained yet, in order, at least one.
            repeats: options with which a command trains them one after the other, such as ``--folds 5``.

        Returns:
            The first of them, with a message about all.

        Raises:
            TorchtuiError: they cannot be started; then none is.
        """
        raise NotImplementedError


def executable(words: Sequence[str]) -> list[str]:
    """Return a command of ours, with or without torchrun before it, as it can be executed, whatever is on ``PATH``."""
    place = words.index(TUI)
    launcher = [*TORCHRUN_MODULE, *words[1:place]] if place else []
    return [*launcher, *TUI_COMMAND, *words[place + 1 :]]
