"""The search form: which fields are searched over which ranges, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from core.metrics import METRICS
from core.slurm.settings import OF_SEVERAL, SlurmSettings
from core.tuning.executors.where import available_executors
from tui.forms.form_fields import FieldSpec
from tui.forms.search_form import SearchState
from tui.forms.search_settings import SETTINGS
from tui.forms.search_texts import Search, usual_jobs
from tui.screens.base import tui_of
from tui.screens.run_in.section import RunIn
from tui.screens.tune.cluster_line import ClusterLine
from tui.screens.tune.range_row import RangeRow
from tui.terminal.text import clean, fit
from tui.widgets.choice import Choice
from tui.widgets.command_panel import CommandPanel
from tui.widgets.field import Field
from tui.widgets.panel import Panel

__all__ = ["STOPS", "SpaceEditor"]

STOPS = ".editor, .add-field, #search-actions Button"
"""Widgets that the arrow keys and Enter move between."""
ADD = "+ add a field"
CLUSTER = "ray"
ONLY_OF = {
    **dict.fromkeys(("processes", "trial_memory", "gpus"), "local"),
    **dict.fromkeys(("ray_address", "gpus_per_trial"), CLUSTER),
}
"""Settings that one executor alone has."""
JOBS = "slurm"
"""The executor whose jobs have settings of their own, and the host that has the same."""
WRITING = """\
0.1..0.9         any number in between
log:1e-4..1      evenly on a log scale
16..256:16       in steps of 16
log:1e-4..1:10   by factors of 10
64,128,[256,64]  choices; [ ] for layers
adam,sgd         names; the fields of
                 each can be added"""


class SearchForm(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls by the page from any field in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]


class SpaceEditor(Vertical):
    """Rows of ranges on the left, settings and command on the right, buttons below.

    Attributes:
        search: current content of the form.
    """

    @dataclass
    class Changed(Message):
        """The form has changed. `setting` is the name of the setting, empty for a range."""

        setting: str = ""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.search = Search({})
        self._specs: Mapping[str, FieldSpec] = {}

    def compose(self) -> ComposeResult:
        with SearchForm(id="search-form"):
            with Vertical(id="search-fields"):
                with Panel(id="ranges-panel"):
                    yield Vertical(id="ranges")
                    yield Choice([(ADD, "")], "", classes="add-field")
                with Panel(id="settings-panel"):
                    for spec in SETTINGS:
                        yield Field(spec, str(getattr(self.search, spec.path)))
                    yield ClusterLine()
            with Vertical(id="search-side"):
                yield CommandPanel()
                with Panel(id="writing-panel"):
                    yield Static(Content(WRITING))
        yield Static("", id="search-about", markup=False)
        with Horizontal(id="search-actions"):
            with Horizontal(id="search-buttons"):
                yield Button("Start", id="start-search", compact=True, disabled=True, action="screen.start")
                yield Button("Copy command", compact=True, action="screen.copy")
                yield Button("Defaults", compact=True, action="screen.defaults")
            yield Static("", id="search-state", markup=False)

    def on_mount(self) -> None:
        self.query_one("#ranges-panel").border_title = "search space"
        self.query_one("#settings-panel").border_title = "search"
        self.query_one("#writing-panel").border_title = "syntax of ranges"
        self.setting("executor").set_choices((name, name) for name in available_executors())
        self.adder.tooltip = "Search one more field"

    @property
    def adder(self) -> Choice:
        """List of fields that are not searched yet."""
        return self.query_one(".add-field", Choice)

    @property
    def method(self) -> Widget:
        """Chooses how values are chosen."""
        return self.settings[0].editor

    @property
    def settings(self) -> list[Field]:
        """The fields of the settings beside the ranges."""
        return list(self.query_one("#settings-panel").query(Field))

    @property
    def job(self) -> SlurmSettings | None:
        """The settings of jobs of Slurm, where trials train in those; None while one is wrong."""
        host = self._run_in.host if self._run_in is not None else None
        return host if isinstance(host, SlurmSettings) else None

    @property
    def job_problems(self) -> dict[str, str]:
        """The errors of the settings of jobs, where trials train in those, by path."""
        return self._run_in.problems if self._run_in is not None else {}

    @property
    def _run_in(self) -> RunIn | None:
        """The settings of jobs, where trials train in those."""
        return next(iter(self.query(RunIn)), None)

    async def _show_job(self) -> None:
        """Show what the executor alone has: settings of jobs, which are remembered, or what is free on Ray."""
        usual = Search({})
        for name, executor in ONLY_OF.items():  # one that was set is an error elsewhere, which has to be seen
            is_set = getattr(self.search, name) != getattr(usual, name)
            self.setting(name).display = is_set or self.search.executor == executor
        self.query_one(ClusterLine).ask(self.search.ray_address if self.search.executor == CLUSTER else None)
        shown = self._run_in
        if self.search.executor != JOBS:
            await self.query(RunIn).remove()
        elif shown is None:
            await self.query_one("#search-fields").mount(RunIn(tui_of(self).settings, JOBS, OF_SEVERAL))

    @property
    def rows(self) -> dict[str, RangeRow]:
        """The rows by path."""
        return {row.spec.path: row for row in self.query(RangeRow)}

    async def fill(self, search: Search, specs: Mapping[str, FieldSpec]) -> None:
        """Fill the form with another search.

        Args:
            specs: every field that can be searched, by path.
        """
        self.search, self._specs = search, specs
        rows = self.query_one("#ranges")
        async with self.batch():
            await rows.remove_children()
            await rows.mount_all([RangeRow(self._spec(path), text) for path, text in search.ranges.items()])
        for field in self.settings:
            field.text = str(getattr(search, field.spec.path))
        await self._show_job()
        self.offer(specs)

    def offer(self, specs: Mapping[str, FieldSpec]) -> None:
        """Update the fields that can be searched."""
        self._specs = specs
        free = [
            (f"{fit(spec.path, 27)} {fit(spec.about, 42)}", path)
            for path, spec in specs.items()
            if path not in self.rows
        ]
        self.adder.set_options([(ADD, ""), *free])

    def offer_metrics(self, own: Sequence[str]) -> None:
        """Update the metrics to choose from: also those of the user's own that trials report."""
        self.setting("metric").set_choices((name, name) for name in ("auto", *own, *METRICS))

    def offer_known(self, runs: Sequence[str], studies: Sequence[str]) -> None:
        """Update the runs to start with, and the studies to learn from."""
        self.setting("start_with").set_choices((name, name) for name in runs)
        self.setting("learn_from").set_choices((name, name) for name in studies)

    def setting(self, name: str) -> Field:
        """Return the field of a setting."""
        return next(field for field in self.settings if field.spec.path == name)

    async def add(self, path: str) -> None:
        """Add a field to the search."""
        row = RangeRow(self._spec(path), "")
        await self.query_one("#ranges").mount(row)
        row.editor.focus()
        self._ranges_changed()

    async def remove_row(self, row: RangeRow) -> None:
        """Remove a field from the search."""
        rows = list(self.rows.values())
        place = rows.index(row)
        await row.remove()
        rows.remove(row)
        stops = [
            *(other.editor for other in rows[place:][:1]),
            *(other.editor for other in rows[-1:]),
            self.adder,
        ]
        stops[0].focus()
        self._ranges_changed()

    def focused_row(self) -> RangeRow | None:
        """The row that is being edited."""
        return next((row for row in self.query(RangeRow) if row.editor.has_focus), None)

    def show(self, state: SearchState, command: str) -> None:
        """Show problems at their rows, a description of the search, and its command."""
        for path, row in self.rows.items():
            row.show(state.problems.get(path, ""), state.hints.get(path, ""))
        for field in self.settings:
            field.set_problem(state.problems.get(field.spec.path, ""))
        self.query_one(CommandPanel).show(command)
        self.tell(state.sentence, ready=state.plan is not None)
        self._describe()

    def tell(self, sentence: str, *, ready: bool) -> None:
        """Show whether the search can start, and if not, why."""
        sign, color = ("✓", "$success") if ready else ("✗", "$text-error")
        text = Content.assemble((f"{sign} ", color), (clean(sentence), "$foreground" if ready else color))
        self.query_one("#search-state", Static).update(text, layout=False)
        self.query_one("#start-search", Button).disabled = not ready

    def _spec(self, path: str) -> FieldSpec:
        return self._specs.get(path) or FieldSpec(path, path, "", "", "", "text")

    @on(Choice.Changed)
    async def _add_chosen(self, event: Choice.Changed) -> None:
        event.stop()
        if event.choice is self.adder and event.value:
            path = event.value
            self.adder.put("")
            await self.add(path)

    @on(RangeRow.Changed)
    def _ranges_changed(self) -> None:
        ranges = {path: row.text for path, row in self.rows.items()}
        self.search = replace(self.search, ranges=ranges)
        self.post_message(self.Changed())

    @on(RangeRow.Removed)
    async def _row_removed(self, event: RangeRow.Removed) -> None:
        await self.remove_row(event.row)

    @on(Field.Changed)
    async def _setting_changed(self, event: Field.Changed) -> None:
        event.stop()
        name, before = event.field.spec.path, self.search
        setting: dict[str, Any] = {name: event.text}  # all values except the ranges are text
        self.search = replace(before, **setting)
        if name == "executor" and before.jobs == usual_jobs(before.executor):
            self.setting("jobs").text = usual_jobs(event.text)
            self.search = replace(self.search, jobs=usual_jobs(event.text))
        if name in ("executor", "ray_address"):
            await self._show_job()
        self.post_message(self.Changed(name))

    @on(RunIn.Changed)
    def _job_changed(self, event: RunIn.Changed) -> None:
        event.stop()
        self.post_message(self.Changed("job"))

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.screen.focus_next(STOPS)

    @on(DescendantFocus)
    def _describe(self) -> None:
        """Describe the focused field, or show its error in full."""
        focused = self.screen.focused
        place = focused.parent if focused is not None else None
        text = Content("")
        if isinstance(place, RangeRow | Field):
            about = f"{place.spec.about.rstrip('.')} · takes {place.spec.hint}"
            if isinstance(place, Field):
                about = place.spec.about
            wrong = Content.styled(clean(f"✗ {place.problem}"), "$text-error")
            text = wrong if place.problem else Content(clean(about))
        self.query_one("#search-about", Static).update(text, layout=False)
