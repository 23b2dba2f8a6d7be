"""The headless view for a terminal: a progress bar, and above it a row for each epoch."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from core.events import EpochFinished, Event, Notice, RunStarted, StepLogged
from core.metrics import label_of
from core.runs.folder import Run
from core.runs.summary import summarise
from tui.terminal.text import clean, count, duration, number, si
from tui.terminal.title import BELL, GIVE_BACK, KEEP, titled

__all__ = ["ProgressView"]

STYLES = {"info": "dim", "warning": "yellow", "error": "red"}


class ProgressView:
    """Draws on the calling thread, when events come: no second thread takes time from training."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.preparations = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            console=self.console,
        )
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[facts]}"),
            console=self.console,
            auto_refresh=False,
            transient=True,
        )
        self.task: TaskID | None = None

    def begin(self, run: Run) -> None:
        self.preparations.stop()
        self.console.print(Text(f"run {clean(str(run.path))}", "dim"))
        self.name = run.id
        self._send(KEEP + titled(run.id))

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
            self.console.print(Text(f"{event.level}: {clean(event.message)}", STYLES[event.level]))

    def close(self) -> None:
        self.preparations.stop()
        self.bar.stop()

    def finish(self, run: Run) -> None:
        self._send(GIVE_BACK + BELL)
        from tui.headless.report import print_summary

        print_summary(summarise(run, as_left=True))

    def _send(self, codes: str) -> None:
        """What the terminal does not print."""
        self.console.file.write(codes)
        self.console.file.flush()

    def _start(self, event: RunStarted) -> None:
        sizes = ", ".join(f"{count(size)} {name}" for name, size in event.samples.items())
        facts = (
            f"{sizes} samples  {count(event.parameters)} parameters  {event.device}  {event.threads} threads"
        )
        self.console.print(Text(facts, "dim"))
        steps = event.epochs * event.steps_per_epoch
        self.epochs, self.steps = event.epochs, steps
        self.score = "r2" if event.task == "regression" else "accuracy"
        self.task = self.bar.add_task(
            "", total=steps, completed=event.step, epoch=event.epoch + 1, epochs=event.epochs, facts=""
        )
        score = label_of(self.score)
        heading = f"{'epoch':>7} {'loss':>8} {score:>8} {'val loss':>9} {'val ' + score:>12} {'seconds':>8}"
        self.console.print(Text(heading, "bold"), soft_wrap=True)
        self.bar.start()

    def _advance(self, event: StepLogged) -> None:
        if self.task is None:
            return
        loss, score = event.train.get("loss"), event.train.get(self.score)
        left = duration(self._seconds_left(event))
        rate = f"{si(event.samples_per_second)}/s"
        facts = f"loss {number(loss)}  {label_of(self.score)} {number(score)}  {rate}  {left} left"
        self.bar.update(self.task, completed=event.step, epoch=event.epoch, facts=facts)
        self.bar.refresh()

    def _seconds_left(self, event: StepLogged) -> float | None:
        """From the speed of this session so far."""
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
            f"{number(event.validation.get(self.score)):>12}",
            f"{event.seconds:>8.2f}",
        ]
        return Text(" ".join(cells), "bold" if best else "")
