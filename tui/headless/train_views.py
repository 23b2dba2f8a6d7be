"""A run without screens: its events become a progress bar, a line per epoch, or JSON lines."""

import math
from collections.abc import Callable
from typing import Protocol

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from core.events import EpochFinished, Event, Notice, RunStarted, StepLogged, to_json
from core.metrics import label_of
from core.runs.folder import Run
from core.runs.history.history import SMOOTHING
from core.runs.labels import title_of
from core.runs.summary import summarise
from core.tasks.registry import task_of
from tui.headless.views import Choice, LineView, LiveView, SilentView, choose
from tui.runtime.streams import print_result
from tui.terminal.machine import machinery
from tui.terminal.text import UNKNOWN, clean, count, defined, duration, number, si, waiting
from tui.terminal.title import BELL, GIVE_BACK, KEEP, titled

__all__ = ["LOST", "JsonView", "PlainView", "ProgressView", "QuietView", "View", "choose_view"]

MIN_WIDTH = 8
LOST = "▲ its weights are not stored, as is said above; only what was measured is left"


class View(Protocol):
    """Shows the progress of a run."""

    def begin(self, run: Run) -> None:
        """Called once the run's folder exists."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show the progress of preparation, such as a download."""

    def close(self) -> None:
        """Restore the terminal."""

    def finish(self, run: Run) -> None:
        """Show the results of a finished run."""


def choose_view(*, as_json: bool, quiet: bool) -> View:
    """Return the view of a run, see `tui.headless.views.choose`."""
    views: dict[Choice, Callable[[], View]] = {
        "json": JsonView,
        "quiet": QuietView,
        "live": ProgressView,
        "plain": PlainView,
    }
    return views[choose(as_json=as_json, quiet=quiet)]()


class QuietView(SilentView):
    """Shows nothing."""

    def begin(self, run: Run) -> None: ...

    def show(self, event: Event) -> None: ...

    def finish(self, run: Run) -> None: ...


class JsonView(QuietView):
    """Prints one event per line to standard output, and nothing else."""

    def begin(self, run: Run) -> None:
        self.run_id = run.id

    def show(self, event: Event) -> None:
        print_result(to_json(event, self.run_id))


class PlainView(LineView):
    """One line per epoch."""

    epochs = 0

    def begin(self, run: Run) -> None: ...

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.epochs = event.epochs
            sizes = "  ".join(f"{name} {count(size)}" for name, size in event.samples.items())
            self.print(f"{event.task}  {sizes}  {_machinery(event)}")
        elif isinstance(event, EpochFinished):
            self.print(_epoch_line(event, self.epochs))
        elif isinstance(event, Notice):
            self.print_message(event)

    def finish(self, run: Run) -> None:
        _print_results(run)


def _machinery(event: RunStarted) -> str:
    """Return how large the network is, and where it is trained."""
    return "  ".join([f"{count(event.parameters)} parameters", *machinery(event)])


def _epoch_line(event: EpochFinished, epochs: int) -> str:
    parts = [f"epoch {event.epoch}/{epochs}"]
    parts += [f"{name} {_exact(name, value)}" for name, value in event.train.items()]
    parts += [f"validation {name} {_exact(name, value)}" for name, value in event.validation.items()]
    best = "  *" if event.best_epoch == event.epoch else ""
    return "  ".join([*parts, _exact_duration(event.seconds)]) + best


def _exact(name: str, value: float) -> str:
    """Return the text of a metric, a dash where it is undefined; a loss that is not a number has diverged."""
    return UNKNOWN if math.isnan(value) and name != "loss" else number(value)


def _width(metric: str) -> int:
    """Return the cells of a column with its gap."""
    return max(MIN_WIDTH, len(clean(label_of(metric)))) + 1


def _exact_duration(seconds: float) -> str:
    """Return seconds with two decimals under a minute, else hours, minutes and seconds."""
    return f"{seconds:.2f} s" if seconds < 60 else duration(seconds)


def _print_results(run: Run) -> None:
    from tui.headless.report import print_summary

    summary = summarise(run, as_left=True)
    print_summary(summary)
    if summary.status == "completed" and not run.checkpoint_file("best").exists():
        print(LOST)


class ProgressView(LiveView):
    """A progress bar, and above it a row for each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0.0
        self.preparations = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            console=self.console,
        )

    def begin(self, run: Run) -> None:
        self.preparations.stop()
        self.console.print(Text(f"run {clean(str(run.path))}", "dim"))
        self.name = title_of(run.path)
        self._send(KEEP + titled(self.name))

    def preparing(self, what: str, done: int, total: int) -> None:
        self.preparations.start()
        what = clean(what)
        task = next((task.id for task in self.preparations.tasks if task.description == what), None)
        if task is None:
            task = self.preparations.add_task(what, total=total or None)
        self.preparations.update(task, completed=done)

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, StepLogged):
            self._advance(event)
        elif isinstance(event, EpochFinished):
            self.console.print(self._row(event), soft_wrap=True)
            self._send(titled(f"{event.epoch}/{self.epochs} {self.name}"))
        elif isinstance(event, Notice):
            self.print_message(event)

    def close(self) -> None:
        self.preparations.stop()
        super().close()

    def finish(self, run: Run) -> None:
        self._send(GIVE_BACK + BELL)
        _print_results(run)

    def _send(self, codes: str) -> None:
        """Write a control sequence that the terminal does not print."""
        self.console.file.write(codes)
        self.console.file.flush()

    def _start(self, event: RunStarted) -> None:
        sizes = ", ".join(f"{count(size)} {name}" for name, size in event.samples.items())
        self.console.print(Text(f"{sizes} samples  {_machinery(event)}", "dim"))
        steps = event.epochs * event.steps_per_epoch
        self.epochs, self.steps = event.epochs, steps
        task = task_of(event.task)
        self.score, self.others = task.score, event.metrics
        if task.own_step:  # the network's own numbers alone
            self.score, self.others = (event.metrics or ["loss"])[0], event.metrics[1:]
        score = label_of(self.score)
        others = "".join(f"{clean(label_of(name)):>{_width(name)}}" for name in self.others)
        heading = (
            f"{'epoch':>7} {'loss':>8} {score:>8} {'val loss':>9} {'val ' + score:>12}{others} {'seconds':>8}"
        )
        self.console.print(Text(heading, "bold"), soft_wrap=True)
        self.start(steps, event.step, f"epoch {event.epoch + 1}/{event.epochs}")

    def _advance(self, event: StepLogged) -> None:
        if not self.bar.tasks:
            return
        loss, score = event.train.get("loss"), event.train.get(self.score)
        left = duration(self._seconds_left(event))
        rate = f"{si(event.samples_per_second)}/s"
        facts = f"loss {number(loss)}  {label_of(self.score)} {number(score)}  {rate}  {left} left"
        self.waiting += SMOOTHING * (event.waiting - self.waiting)
        if note := waiting(self.waiting):
            facts += f"  {note}"
        self.draw(self.steps, event.step, f"epoch {event.epoch}/{self.epochs}", facts)

    def _seconds_left(self, event: StepLogged) -> float | None:
        """Estimate the time left from the speed of this session so far."""
        task = self.bar.tasks[0]
        speed = task.finished_speed or task.speed
        return (self.steps - event.step) / speed if speed else None

    def _row(self, event: EpochFinished) -> Text:
        best = event.best_epoch == event.epoch
        cells = [
            f"{'★' if best else ' '}{event.epoch:>6}",
            f"{number(event.train.get('loss')):>8}",
            f"{number(event.train.get(self.score)):>8}",
            f"{number(event.validation.get('loss')):>9}",
            f"{number(event.validation.get(self.score)):>12}"
            + "".join(f"{defined(event.validation.get(name)):>{_width(name)}}" for name in self.others),
            f"{event.seconds:>8.2f}",
        ]
        return Text(" ".join(cells), "bold" if best else "")
