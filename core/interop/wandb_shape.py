"""Runs of scripts that were written for Weights & Biases: ``import torchtui as wandb`` is all that changes.

Of that interface there are ``init log config summary run finish watch define_metric Image Histogram``. What they say
goes through `RunWriter`; nothing leaves this machine.
"""

import atexit
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from numbers import Number
from types import TracebackType
from typing import Any, Self

from core.errors import DataError, RunError
from core.interop.script_settings import settings_of
from core.interop.writer import RunWriter
from core.runs.creating import write_sections
from core.runs.labels import MAX_NAME, MAX_TAG, write_labels
from core.runs.media.kinds import kind_of
from core.runs.script import script_sections

__all__ = ["WandbRun", "WandbValues", "current", "define_metric", "finish", "init", "log", "watch"]

OFF = {"disabled"}


class WandbValues(dict[str, Any]):
    """Settings or results that are read and set as keys or as attributes.

    Args:
        changed: called after each change.
    """

    def __init__(self, values: Mapping[str, Any], changed: Any = lambda: None) -> None:
        super().__init__(values)
        object.__setattr__(self, "_changed", changed)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"no '{name}'; there is {', '.join(self) or 'nothing'}")

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        object.__getattribute__(self, "_changed")()

    def update(self, *values: Any, allow_val_change: bool | None = None, **more: Any) -> None:
        """Set several, from anything that `settings_of` takes."""
        for given in (*values, more):
            super().update(settings_of(given))
        object.__getattribute__(self, "_changed")()


class WandbRun:
    """One run of such a script.

    Attributes:
        writer: what it goes through; None where the script has turned logging off.
        config: its settings; a change is kept with the run. summary: results, reported at its end.
        resumed: whether it continues an earlier run.
    """

    def __init__(self, writer: RunWriter | None, config: Mapping[str, Any], name: str) -> None:
        self.writer, self._name = writer, name
        self.config, self.summary = WandbValues(config, self._keep_config), WandbValues({})
        self._left_out, self._is_open = set[str](), False
        self.resumed = writer is not None and bool(writer.epochs_done or writer.step)
        atexit.register(self._tell_summary)  # after the writer's own, so that it comes before the run's end

    @property
    def name(self) -> str:
        """Name of the run."""
        return self._name

    @property
    def id(self) -> str:
        """The name of its folder; empty where nothing is kept."""
        return self.writer.run.id if self.writer is not None and self.writer.writes else ""

    @property
    def dir(self) -> str:
        """Path of its folder; empty where nothing is kept."""
        return str(self.writer.run.path) if self.writer is not None and self.writer.writes else ""

    @property
    def step(self) -> int:
        """Steps done since the start of the run; 0 where nothing is kept."""
        return self.writer.step if self.writer is not None else 0

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: Any
    ) -> None:
        """Log numbers, nested or flat, and what is to be looked at: ``Image``, ``Text``, ``Histogram``, lists of them,
        images of Pillow and figures. What else is not a number is left out, and that is reported once for each name.
        """
        if self.writer is None:
            return
        numbers, media = dict(_numbers(data)), dict(_media(data))
        for name in set(_flat(data)) - set(numbers) - set(media):
            self._leave_out(name, "is not a number, and is left out")
        if step is None and (self._is_open or commit is False):
            step = self.writer.step + (not self._is_open)
        self._is_open = commit is False
        self.writer.log(numbers, step=step)
        for name, items in media.items():
            self._look_at(name, items)

    def _look_at(self, name: str, items: Iterable[Any]) -> None:
        """Keep images, texts and histograms; one that cannot be kept is reported, and ends no script."""
        assert self.writer is not None
        for item in items:
            kind = kind_of(item) or "image"
            try:
                getattr(self.writer, kind)(name, item)
            except DataError as error:
                self._leave_out(name, f"is left out: {str(error).removeprefix(f'{name}: ')}")

    def _leave_out(self, name: str, why: str) -> None:
        if name not in self._left_out and self.writer is not None:
            self._left_out.add(name)
            self.writer.notice(f"{name} {why}")

    def watch(self, *models: Any, **options: Any) -> None:
        """Do nothing: layers are watched in the app."""

    def define_metric(self, *names: Any, **options: Any) -> None:
        """Do nothing: every metric is drawn by step."""

    def finish(self, exit_code: int | None = None, **_: Any) -> None:
        """End the run; a code that is not 0 ends it as failed."""
        if self.writer is None:
            return
        self._tell_summary()
        if exit_code:
            self.writer.close("failed", f"ended with code {exit_code}")
        else:
            self.writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self.writer is not None:
            self._tell_summary()
            self.writer.fail(error)
        self.finish()

    def _tell_summary(self) -> None:
        """Report the results of a run that has not ended."""
        atexit.unregister(self._tell_summary)
        if self.writer is None or self.writer.closed or not self.summary:
            return
        text = ", ".join(f"{name} {value}" for name, value in self.summary.items())
        with suppress(RunError):  # in a fork of the process that writes the run
            self.writer.notice(f"summary: {text}")

    def _keep_config(self) -> None:
        if self.writer is not None and self.writer.writes:
            sections = script_sections(self.config, self.writer.script)
            write_sections(self.writer.run, sections)


_current: list[WandbRun] = []


def init(
    project: str | None = None,
    entity: str | None = None,
    config: Any = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Iterable[str] | None = None,
    id: str | None = None,
    resume: bool | str | None = None,
    mode: str | None = None,
    **others: Any,
) -> WandbRun:
    """Start a run; one that was started before ends.

    Args:
        project, name, id: what the run is called: its name, else the project; the id where a run is resumed by it.
        config: as for `RunWriter`. notes, tags: kept with the run.
        resume: whether the newest run of this name is continued, if there is one: ``allow``, ``must``, ``auto``, True.
        mode: ``disabled`` keeps nothing; so does the environment variable ``WANDB_MODE``.
        others: what else that interface takes; it is named in the run's messages.

    Raises:
        RunError: nothing can be written, or there is no run that must be resumed.
    """
    finish()
    called = (id if resume else None) or name or project or id or "run"
    settings = settings_of(config)
    if (mode or os.environ.get("WANDB_MODE", "")) in OFF:
        return _become(WandbRun(None, settings, called))
    writer = RunWriter(called, settings, resume=bool(resume) and resume != "never")
    if resume == "must" and not writer.epochs_done and not writer.step:
        writer.close("failed", "there is no earlier run to resume")
        raise RunError(f"no earlier run is called {called}", "Leave out resume='must' to start one")
    if writer.writes and (tags or notes or name):
        words = tuple(dict.fromkeys(re.sub(r"\s+", "-", str(tag).strip())[:MAX_TAG] for tag in tags or ()))
        title = " ".join((name or "").split())[:MAX_NAME] or None
        write_labels(writer.run.path, name=title, tags=words or None, note=notes)
    ignored = [key for key, value in {"entity": entity, **others}.items() if value is not None]
    if ignored:
        writer.notice(f"of init these have no meaning here: {', '.join(sorted(ignored))}")
    return _become(WandbRun(writer, settings, called))


def current() -> WandbRun | None:
    """Return the run that was started last; None before the first, and after its end."""
    return _current[0] if _current else None


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **others: Any) -> None:
    """Log numbers of the current run.

    Raises:
        RunError: there is none.
    """
    _of_now().log(data, step, commit, **others)


def watch(*models: Any, **options: Any) -> None:
    """Do nothing: layers are watched in the app."""


def define_metric(*names: Any, **options: Any) -> None:
    """Do nothing: every metric is drawn by step."""


def finish(exit_code: int | None = None, **others: Any) -> None:
    """End the current run, if there is one."""
    if _current:
        _current.pop().finish(exit_code)


def _become(run: WandbRun) -> WandbRun:
    _current[:] = [run]
    return run


def _of_now() -> WandbRun:
    if not _current:
        raise RunError("no run was started", "Call init() first")
    return _current[0]


def _flat(data: Mapping[str, Any], above: str = "") -> Iterable[str]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}/")
        else:
            yield f"{above}{name}"


def _numbers(data: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    """The numbers in nested values, named by their path."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name}/")
        elif isinstance(value, Number) or (hasattr(value, "detach") and value.numel() == 1):
            yield f"{above}{name}", value


def _media(data: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, list[Any]]]:
    """Images, texts and histograms in nested values, named by their path."""
    for name, value in data.items():
        items = list(value) if isinstance(value, list | tuple) else [value]
        if isinstance(value, Mapping):
            yield from _media(value, f"{above}{name}/")
        elif items and all(
            kind_of(item) or hasattr(item, "savefig") or hasattr(item, "getbands") for item in items
        ):
            yield f"{above}{name}", items
