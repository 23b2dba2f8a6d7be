"""Where the run of the form trains: its name, the command that is equal to it, the job script, and its start."""

from pathlib import Path

from textual import on
from textual.events import DescendantFocus

from core.errors import InputError
from core.files.atomic import as_usual, write_atomically
from core.remedies import OTHER_FILE
from core.runs.labels import checked_name
from tui.forms.command_line import command_line, train_words
from tui.forms.form_fields import FieldSpec
from tui.forms.option_form import HOST, flags_for
from tui.forms.remedies import error_in_app
from tui.runtime.hosts.registry import DEFAULT_HOST
from tui.screens.configure.action_bar import ActionBar
from tui.screens.configure.form_actions import FilledForm
from tui.screens.configure.preview_panels import PreviewView, ScriptPanel
from tui.screens.configure.save_dialog import SaveText, TextFile
from tui.screens.run_in.section import RunIn
from tui.terminal.text import clean
from tui.widgets.command_panel import CommandPanel
from tui.widgets.field import Field

__all__ = ["RUN_NAME", "PlacedForm"]

RUN_NAME = FieldSpec(
    path="run_name",
    label="run name",
    default="",
    hint="any text",
    about="What to call the run in lists and messages; it can be renamed later.",
    kind="text",
)


class PlacedForm(FilledForm):
    """Base of the screen with the form: what would be executed, and where."""

    _foreseen_by: RunIn.Foreseen | None = None

    @property
    def run_in(self) -> RunIn:
        return self.query_one(RunIn)

    @property
    def met(self) -> str:
        """Return what a run would meet now where it is to train, as far as that is known; else an empty text."""
        foreseen = self._foreseen_by
        return foreseen.text if foreseen is not None and foreseen.host == self.run_in.host else ""

    def action_start(self) -> None:
        """Start the run on the chosen host."""
        name = self.form.extra[RUN_NAME.path]
        if name.problem:
            name.editor.focus()
        elif self.state.config is not None:
            self.tui.start_run(self.state.config, self.run_in.host)

    def action_copy(self) -> None:
        """Copy the job script where there is one, or else the equivalent command."""
        if self._has_command():
            self._copy(self._script() or self._command())

    def action_save_command(self) -> None:
        """Save the job script where there is one, or the equivalent command, as a file."""
        if not self._has_command():
            return
        script = self._script()
        files = {"the job script": TextFile("job.sh", script)} if script else {}
        files["the command"] = TextFile("train.sh", f"#!/bin/sh\n{self._command()}\n")

        def write(path: Path, text: str) -> None:
            write_atomically(path, lambda file: file.write(text.encode()), instead=("give ", OTHER_FILE))
            as_usual(path)

        self.app.push_screen(SaveText(files, write))

    def _has_command(self) -> bool:
        if self.state.config is None or self.run_in.host is None:
            self.notify("Fix the marked fields first: there is no command yet.", severity="warning")
            return False
        return True

    def _copy(self, text: str) -> None:
        if not text:
            return
        self.app.copy_to_clipboard(text)
        first = text.partition("\n")[0] if text.count("\n") else text
        self.notify(clean(f"{first} …" if "\n" in text else text), title="Copied", markup=False)

    def _command(self) -> str:
        """Return the equivalent command; empty while there are errors."""
        config, host = self.state.config, self.run_in.host
        if config is None or host is None:
            return ""
        place = [] if host.host_name == DEFAULT_HOST else ["--run-in", host.host_name, *flags_for(host)]
        return command_line(config, self.tui.runs_dir, self.tui.run_name, place)

    def _script(self) -> str:
        """Return the job script; empty while there are errors, or where no script is submitted."""
        config, host = self.state.config, self.run_in.host
        if config is None or host is None:
            return ""
        return host.script(train_words(config, self.tui.runs_dir, self.tui.run_name))

    def show_command(self) -> None:
        """Show the equivalent command, and the job script if there is one."""
        script = self._script()
        command = self.query_one(CommandPanel)
        command.show(self._command())
        command.border_subtitle = "a click copies  e saves" if script else "y copies  e saves"
        self.query_one(ScriptPanel).show(script)

    @on(RunIn.Foreseen)
    def _foreseen(self, event: RunIn.Foreseen) -> None:
        self.query_one(ScriptPanel).tell(event.text)
        self._foreseen_by = event
        self.query_one(ActionBar).show(self.state, self.met)

    @on(CommandPanel.Clicked)
    def _command_clicked(self) -> None:
        self._copy(self._command())

    @on(ScriptPanel.Clicked)
    def _script_clicked(self) -> None:
        self._copy(self._script())

    @on(Field.Changed)
    def _extra_changed(self, event: Field.Changed) -> None:
        if event.field.spec is RUN_NAME:
            self._take_name(event.field)

    def _take_name(self, field: Field) -> None:
        """Take the name of the next run from its field."""
        try:
            self.tui.run_name = checked_name(field.text)
        except InputError as error:
            field.set_problem(error_in_app(error))
            return
        field.set_problem("")
        self.show_command()

    @on(DescendantFocus)
    def _show_what_runs(self) -> None:
        """Bring what would be executed into sight, while its settings are changed."""
        field = self.focused.parent if self.focused else None
        if isinstance(field, Field) and field.spec.path.partition(".")[0] == HOST:
            self.query_one(PreviewView).show_executed()
