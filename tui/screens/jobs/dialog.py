"""The dialog of a job: its questions, the equivalent command, its progress, and its result or why it failed."""

import os
import threading
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from core.data.dataset import Progress
from core.errors import RunError, TorchtuiError
from core.runs.folder import Run
from core.session.preload import load_backend
from tui.forms.remedies import error_in_app
from tui.screens.background import Background
from tui.screens.base import tui_of
from tui.screens.dialog import Dialog
from tui.screens.first_look import open_test
from tui.screens.jobs.job import Done, Job, Question
from tui.screens.trust_prompt import with_consent
from tui.terminal.text import clean, count, progress_line
from tui.widgets.choice import Choice
from tui.widgets.command_panel import CommandPanel
from tui.widgets.path_suggester import PathSuggester

__all__ = ["JobDialog"]

KIND = "job"


class JobDialog(Background, Dialog[None]):
    """Asks, works beside the screen, and shows the result; after an error it keeps what was typed.

    Args:
        job: what is asked and done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.working = False
        self._stopped = threading.Event()
        self._replaces: str | None = None
        """The existing file that the next press of the button replaces."""

    def compose(self) -> ComposeResult:
        width = max((cell_len(question.label) for question in self.job.questions), default=0)
        with VerticalScroll(classes="dialog -job", can_focus=False) as body:
            body.border_title = Content(clean(self.job.title))
            for question in self.job.questions:
                with Horizontal(classes="asked"):
                    yield Label(question.label.ljust(width))
                    yield _field_of(question)
            yield CommandPanel("click copies")
            yield Static("", id="job-state", markup=False)
            with Vertical(id="job-lines"):
                yield Static("", markup=False)
            with Horizontal(classes="answers"):
                yield Button(self.job.verb, id="work", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#job-lines").display = False
        self.query(".asked Input").first().focus()
        self._asked_anew()

    def on_unmount(self) -> None:
        self._stopped.set()

    @property
    def answers(self) -> dict[str, str]:
        """The text of each field now."""
        answers: dict[str, str] = {}
        for question in self.job.questions:
            field = self.query_one(f"#ask-{question.key}")
            assert isinstance(field, Input | Choice)
            answers[question.key] = field.value.strip()
        return answers

    @on(Input.Changed)
    @on(Choice.Changed)
    def _asked_anew(self) -> None:
        """Show the command for other answers; what was told of the ones before is gone."""
        if not self.working:
            self.query_one(CommandPanel).show(self.job.command(self.answers))
            self._tell("")
            self._ready(self.job.verb)

    @on(CommandPanel.Clicked)
    def _copy_command(self) -> None:
        command = self.job.command(self.answers)
        self.app.copy_to_clipboard(command)
        self.notify(clean(command), title="Copied", markup=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.start()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "work":
            self.start()
        else:
            self.action_cancel()

    def start(self) -> None:
        """Start the job, unless it is at work; ask before it shows test numbers, runs code or replaces a file."""
        if not self.working:
            runs = [*self.job.uses(self.answers)]
            open_test(self.app, self.job.tested(self.answers), lambda: self._consented(runs))

    def _consented(self, runs: list[Run]) -> None:
        """Start, after the user has agreed to the code of some runs."""
        if not runs:
            self._start()
            return
        try:
            config = runs[0].config()
        except TorchtuiError:  # reported where the run is used
            self._consented(runs[1:])
        else:
            with_consent(self.app, config, lambda: self._consented(runs[1:]), run=runs[0])

    def _start(self) -> None:
        answers = self.answers
        existing = [path for path in self.job.written(answers) if os.path.lexists(os.path.expanduser(path))]
        if existing and self._replaces != existing[0]:
            more = (
                f" and {count(len(existing) - 1)} more already exist." if existing[1:] else " already exists."
            )
            self._tell(f"{existing[0]}{more}", "$text-warning", "▲ ")
            self._ready("Replace them" if existing[1:] else "Replace it", replaces=existing[0])
            return
        self.working, self._stopped = True, threading.Event()
        self.query_one("#work", Button).disabled = True
        self.query_one("#cancel", Button).label = "Cancel"
        self._tell("starting ...")
        stopped = self._stopped

        def work(progress: Progress) -> Done:
            def reported(what: str, done: int, total: int) -> None:
                if stopped.is_set():
                    raise RunError("cancelled")
                progress(what, done, total)

            load_backend()
            return self.job.work(answers, reported)

        self.in_background(KIND, work, self._show, self._failed)

    def action_cancel(self) -> None:
        """Stop the job; without one, close."""
        if not self.working:
            self.dismiss()
            return
        self._stopped.set()
        self.forget(KIND)
        self.working = False
        self._ready(self.job.verb)
        self._tell("Cancelled.")

    def show_progress(self, what: str, done: int, total: int) -> None:
        self._tell(f"{progress_line(what, done, total)} ...")

    def _show(self, done: Done) -> None:
        self.working = False
        tui_of(self).tell(done.message)
        if done.then is not None:
            self.dismiss()
            done.then()
            return
        self._ready(self.job.verb)
        self._tell(done.message, "$success", "✓ ")
        lines = self.query_one("#job-lines")
        lines.query_one(Static).update(Content("\n".join(map(clean, done.lines))))
        lines.display = bool(done.lines)
        close = self.query_one("#cancel", Button)
        close.label = "Close"
        close.focus()

    def _failed(self, error: Exception) -> None:
        self.working = False
        self._ready(self.job.verb)
        self._tell(error_in_app(error), "$text-error", "✗ ")

    def _ready(self, verb: str, *, replaces: str | None = None) -> None:
        self._replaces = replaces
        button = self.query_one("#work", Button)
        button.disabled, button.label = False, verb

    def _tell(self, text: str, color: str = "", sign: str = "") -> None:
        self.query_one("#job-lines").display = False
        shown = Content.assemble((sign, color or "$foreground"), clean(text))
        self.query_one("#job-state", Static).update(shown)
        self.query_one("#job-state").display = bool(text)


def _field_of(question: Question) -> Input | Choice:
    if question.choices is not None:
        field = Choice([(label, value) for value, label in question.choices.items()], question.default)
        field.id = f"ask-{question.key}"
        return field
    suggester = PathSuggester(question.suffixes) if question.suffixes else None
    return Input(
        question.default,
        placeholder=question.hint,
        compact=True,
        suggester=suggester,
        id=f"ask-{question.key}",
    )
