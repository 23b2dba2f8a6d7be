"""Actions that fill the form: presets, defaults, and files that it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config.schema import TrainConfig, to_yaml
from core.config.yaml_files import read_yaml
from core.errors import TorchtuiError
from core.files.atomic import creating, write_atomically
from core.runs.code import unknown_code
from core.runs.creating import name_of
from core.user_code.loading import references, version
from tui.forms.form import fill, refit
from tui.forms.form_state import FormState
from tui.screens.configure.presets import OpenPreset, SavePreset
from tui.screens.dialogs import Ask
from tui.screens.jobs.actions import JobActions
from tui.screens.trust_prompt import with_consent
from tui.terminal.text import clean
from tui.widgets.form_view import FormView

__all__ = ["CODE_SECONDS", "FilledForm"]

CODE_SECONDS = 1.0
"""Seconds between two checks of the Python files that the form names."""
ELSEWHERE = "give another path"


class FilledForm(JobActions):
    """Base of the screen with the form."""

    state: FormState

    def __init__(self) -> None:
        super().__init__()
        self._code: list[str] = []
        self._refused: frozenset[str] = frozenset()

    @property
    def job_config(self) -> TrainConfig | None:
        return self.state.config

    @property
    def form(self) -> FormView:
        return self.query_one(FormView)

    def _preview_anew(self) -> None:
        """Recompute the preview, although the form has not changed."""
        raise NotImplementedError

    def action_defaults(self) -> None:
        """Reset every field to its default; ask first."""

        def answered(answer: str | None) -> None:
            if answer == "reset":
                self.run_worker(self._fill({}))

        question = "Reset every field to its default?"
        self.app.push_screen(Ask(question, {"reset": "Reset", "keep": "Keep the form"}), answered)

    def action_save(self) -> None:
        """Save the form as a preset."""
        config = self.state.config
        if config is None:
            self.notify(clean(f"Not saved. {self.state.sentence}"), severity="warning", markup=False)
            return

        def write(path: Path) -> None:
            with creating(path, ELSEWHERE):
                path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda file: file.write(to_yaml(config).encode()), instead=ELSEWHERE)

        def saved(path: Path | None) -> None:
            if path is not None:
                self.notify(clean(str(path)), title="Saved", markup=False)

        self.app.push_screen(SavePreset(name_of(config), write), saved)

    def action_open(self) -> None:
        """Fill the form from a preset."""
        read: dict[str, Any] = {}

        def opened(path: Path | None) -> None:
            if path is not None:
                self.run_worker(self._fill(read))

        self.app.push_screen(OpenPreset("", lambda path: read.update(read_yaml(path))), opened)

    async def _fill(self, values: Mapping[str, Any]) -> None:
        """Fill the form, and report values without a field."""
        texts, dropped = fill(values)
        self._tell_dropped(dropped)
        await self.form.fill(texts)
        self.form.keep_given()
        self._refused = frozenset()
        self._preview_anew()

    def _ask_for_code(self) -> None:
        """Ask for the programs that a preview needed and that may not run; not again for those that were refused."""
        config = self.state.nearest
        if config is None or not self.is_current:
            return
        try:
            unknown = frozenset(program.digest for program in unknown_code(config))
        except TorchtuiError:  # the form tells what cannot be read
            return
        if unknown - self._refused:
            self._refused |= unknown
            with_consent(self.app, config, self._preview_anew)

    async def _look_at_code(self) -> None:
        """Check whether a user's file named in the form has changed."""
        config = self.state.nearest
        sections = {used.section for used in references(config)} if config else set()
        code = [version(getattr(config, section)) for section in sorted(sections)]
        if self.is_current and code != self._code:
            known, self._code = self._code, code
            if known:
                await self.form.fill(refit(self.form.texts))
                self._preview_anew()

    def _tell_dropped(self, dropped: list[str]) -> None:
        if dropped:
            text = f"Left out, because no field accepts these values: {', '.join(dropped)}"
            self.notify(clean(text), severity="warning", markup=False)
