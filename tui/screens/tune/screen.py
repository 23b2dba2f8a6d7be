"""Tune: the search space, and the progress of a study."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Button, Static

from core.runs.references import LATEST
from tui.forms.search_command import search_command
from tui.forms.search_form import SearchState, default_search, own_metrics, review, searchable
from tui.forms.search_texts import Given, Search
from tui.screens.base import NARROW
from tui.screens.tune.space_editor import STOPS, SpaceEditor
from tui.screens.tune.study_actions import STUDY_ACTIONS, TRIAL_ACTIONS, known_names
from tui.screens.tune.study_view import StudyView
from tui.screens.tune.trial_columns import headline, needs_lines
from tui.screens.tune.trials_panel import TrialsPanel
from tui.screens.tune.winner_actions import WINNER_ACTIONS, WinnerActions
from tui.terminal.text import clean
from tui.widgets.command_panel import CommandPanel

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord

__all__ = ["TuneScreen"]

OF_THE_SPACE = frozenset(
    {"start", "copy", "add_field", "remove_field", "defaults", "above", "below", "leave_field"}
)
OF_THE_STUDY = (
    STUDY_ACTIONS | TRIAL_ACTIONS | WINNER_ACTIONS | {"sort", "turn_order", "panel", "log", "slices"}
)
WIDE = 170
NO_STUDY = "No study is open.\n\nPress Ctrl+T and then Ctrl+R to start one, or Ctrl+O to open an earlier one."


class ViewTab(Static):
    """Name of a view; a click shows it."""

    ALLOW_SELECT = False

    @dataclass
    class Clicked(Message):
        """It was clicked."""

        view: str

    def __init__(self, view: str) -> None:
        super().__init__(view, id=f"view-{view}", classes="view-tab")
        self.view = view

    @on(Click)
    def _clicked(self) -> None:
        self.post_message(self.Clicked(self.view))


class TuneScreen(WinnerActions):
    """The search space, and the study: two views, one at a time."""

    MODE = "tune"
    AUTO_FOCUS = ""
    HELP = (
        "Searches for good hyper-parameters of the configuration in Configure. The search space has one row per "
        "field: 1e-4..1 is a range, log:1e-4..1 a logarithmic one, 16..256:16 has a step, and 64,128 are choices. "
        "A study runs in a background process, even after the app quits; trials are judged on validation data only. "
        "In the study, Space pauses and continues it. Every trial is a run: Enter opens it in Live, e evaluates it, "
        "and p edits a copy of its configuration in the form. c trains the best trials again with other seeds: the "
        "best mean wins. g turns to the next graph, / selects trials by ranges, + adds one by hand, and h "
        "hides those that were given up. "
        "Click the name of a column to sort by it, again to reverse the order."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t,v", "view", "space/study", tooltip="The search space, or the study"),
        Binding("ctrl+r", "start", "start", tooltip="Start a study with this search space"),
        Binding("y", "copy", "copy", tooltip="Copy the equivalent command"),
        Binding("y", "copy_trial", "copy", tooltip="Copy the command that trains this trial's configuration"),
        Binding("ctrl+n", "add_field", "add", tooltip="Add a field to the search"),
        # Priority: a focused field would delete a character.
        Binding(
            "ctrl+d", "remove_field", "remove", tooltip="Remove this field from the search", priority=True
        ),
        Binding("d", "defaults", "Reset to the default search space", show=False),
        Binding("escape", "leave_field", "Leave the field", show=False),
        Binding("up", "above", "Field above", show=False),
        Binding("down", "below", "Field below", show=False),
        Binding("e", "evaluate", "eval", tooltip="Open the trial in Evaluate"),
        Binding("t", "panel(1)", "panel", tooltip="The next panel, on small screens"),
        Binding("T", "panel(-1)", "Previous panel", show=False),
        Binding("p", "promote", "reuse", tooltip="Edit a copy of the trial's configuration in the form"),
        Binding("o", "sort", "sort", tooltip="Sort by the next column"),
        Binding("O", "turn_order", "Reverse the order", show=False),
        Binding("C", "compare", "Compare the best trials", show=False),
        Binding("l", "log", "Logarithmic or linear axis", show=False),
        Binding("full_stop", "slices(1)", "Next parameter", key_display=".", show=False),
        Binding("comma", "slices(-1)", "Previous parameter", key_display=",", show=False),
        Binding("ctrl+o", "open", "open", tooltip="Open an earlier study"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = "space"
        self.search = Search({})
        self.state = SearchState()
        self.built = False
        self._values: Mapping[str, Any] = {}
        self._untouched = self.search
        self._possible: frozenset[str] = frozenset()

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="tune-line"):
            yield ViewTab("space")
            yield ViewTab("study")
            yield Static("", id="study-facts", markup=False)
        yield SpaceEditor(id="space")
        yield Static("looking for a study ...", id="study-notice", markup=False)
        yield StudyView(id="study")

    @property
    def editor(self) -> SpaceEditor:
        """The search form."""
        return self.query_one(SpaceEditor)

    @property
    def selected(self) -> "TrialRecord | None":
        return self.query_one(TrialsPanel).selected if self.is_mounted else None

    @property
    def given(self) -> Given:
        return self.state.given

    def on_mount(self) -> None:
        self._show_view()

    async def refresh_content(self) -> None:
        if not self.built:
            await self._fill(default_search(self.tui.form_values))
            self.built = True
            self._focus_first()
            self.open_study(LATEST)
        elif self._values != self.tui.form_values:
            touched = self.search != self._untouched
            await self._fill(
                self.search if touched else default_search(self.tui.form_values, self.search.method)
            )
        self.look()

    # The search space

    async def _fill(self, search: Search) -> None:
        """Fill the search form for the current configuration of the app's form."""
        self._values = self.tui.form_values
        self._untouched = search
        self.search = search
        await self.editor.fill(search, searchable(self._values, search.ranges))
        self.editor.offer_metrics(own_metrics(self._values))
        self._review()
        runs_dir = self.tui.runs_dir
        self.in_background(
            "names", lambda progress: known_names(runs_dir), lambda known: self.editor.offer_known(*known)
        )

    @on(SpaceEditor.Changed)
    async def _edited(self, event: SpaceEditor.Changed) -> None:
        if not self.built:
            return
        before, self.search = self.search, self.editor.search
        if event.setting == "method" and "grid" in (before.method, self.search.method):
            default = default_search(self._values, self.search.method)
            same = before.ranges == default_search(self._values, before.method).ranges
            await self._fill(
                replace(self.search, trials=default.trials, ranges=default.ranges if same else before.ranges)
            )
            return
        self.editor.offer(searchable(self._values, self.search.ranges))
        self._review()

    def _review(self) -> None:
        """Check the form, and describe the study."""
        ready = self.state.plan is not None
        self.state = review(self._values, self.search, self.editor.job, self.editor.job_problems)
        self.editor.show(self.state, self._command())
        self.tell_state()
        if ready != (self.state.plan is not None):
            self.refresh_bindings()

    def _command(self) -> str:
        """Return the equivalent command; empty while the form is not valid."""
        plan = self.state.plan
        return search_command(plan, self.search, self.given, self.tui.runs_dir) if plan is not None else ""

    def tell_state(self) -> None:
        if self.starting:
            self.editor.tell(f"starting: {self.starting_note}", ready=True)
            self.query_one("#start-search", Button).disabled = True
        else:
            self.editor.tell(self.state.sentence, ready=self.state.plan is not None)

    def action_start(self) -> None:
        """Start a study in a background process."""
        if self.state.plan is not None and not self.starting:
            self.start(self.state.plan)

    def action_copy(self) -> None:
        """Copy the equivalent command."""
        if self.state.plan is None:
            self.notify("Fix the marked ranges first: there is no command yet.", severity="warning")
            return
        command = self._command()
        self.app.copy_to_clipboard(command)
        self.notify(clean(command), title="Copied", markup=False)

    @on(CommandPanel.Clicked)
    def _command_clicked(self) -> None:
        self.action_copy()

    async def action_add_field(self) -> None:
        """Choose a field to add to the search."""
        self.editor.adder.focus()
        await self.editor.adder.action_open()

    async def action_remove_field(self) -> None:
        """Remove the field being edited from the search."""
        row = self.editor.focused_row()
        if row is not None:
            await self.editor.remove_row(row)

    async def action_defaults(self) -> None:
        """Reset to the default ranges for the model and the optimizer."""
        default = default_search(self._values, self.search.method)
        await self._fill(replace(self.search, ranges=default.ranges))

    def action_above(self) -> None:
        """Move to the field above."""
        self.focus_previous(STOPS)

    def action_below(self) -> None:
        """Move to the field below."""
        self.focus_next(STOPS)

    # The study

    def show_standing(self) -> None:
        standing = self.standing
        notice = self.query_one("#study-notice", Static)
        text = "reading the study ..." if self._follower and not self.problem else NO_STUDY
        notice.update(f"✗ {clean(self.problem)}" if self.problem else text)
        self._show_facts()
        if standing is not None:
            self.query_one(StudyView).show(standing)
        self._show_view()
        self._offer()

    def _show_facts(self) -> None:
        standing, width = self.standing, self.size.width
        shown = headline(standing, roomy=width >= WIDE, method=width >= NARROW) if standing else ""
        self.query_one("#study-facts", Static).update(shown)
        told = standing is not None and needs_lines(standing)
        self.query_one("#tune-line").set_class(told, "-told")

    def on_resize(self) -> None:
        self._show_facts()

    @on(TrialsPanel.Highlighted)
    def _trial_highlighted(self) -> None:
        self.query_one(StudyView).draw_charts()
        self._offer()

    def _offer(self) -> None:
        possible = self.possible()
        if possible != self._possible:  # rebuilding the footer takes longer than everything else
            self._possible = possible
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action applies now: each view has its own keys."""
        if action in OF_THE_SPACE:
            return self.view == "space" and self.built and self._check_space(action)
        if action in OF_THE_STUDY:
            if action == "panel" and self.size.width >= NARROW:
                return False
            return self.view == "study" and action in self._possible
        return True

    def _check_space(self, action: str) -> bool | None:
        if action == "start":
            return True if self.state.plan is not None and not self.starting else None
        return action != "remove_field" or self.editor.focused_row() is not None

    # Views

    def show_study(self) -> None:
        self.view = "study"
        self._show_view()
        self.query_one(StudyView).turn_panel(0)

    def action_view(self) -> None:
        """Switch to the other view."""
        if self.view == "space":
            self.show_study()
        else:
            self._show_space()

    def _show_space(self) -> None:
        self.view = "space"
        self._show_view()
        self._focus_first()

    def _focus_first(self) -> None:
        if self.view == "space":  # outside text fields, digits switch modes
            self.editor.method.focus()

    @on(ViewTab.Clicked)
    def _tab_clicked(self, event: ViewTab.Clicked) -> None:
        (self._show_space if event.view == "space" else self.show_study)()

    def _show_view(self) -> None:
        self.set_class(self.view == "study", "-study")
        self.set_class(self.standing is not None, "-followed")
        for tab in self.query(ViewTab):
            tab.set_class(tab.view == self.view, "-current")
            tab.update(Content(tab.view.capitalize()))
        self.refresh_bindings()

    def action_panel(self, by: int) -> None:
        """Switch to the next or previous panel."""
        self.query_one(StudyView).turn_panel(by)

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.query_one(TrialsPanel).sort_by_next()

    def action_turn_order(self) -> None:
        """Reverse the order."""
        self.query_one(TrialsPanel).turn_order()

    def action_log(self) -> None:
        """Switch the metric axis between logarithmic and linear."""
        self.query_one(StudyView).toggle_log()

    def action_slices(self, by: int) -> None:
        """Show other parameters."""
        self.query_one(StudyView).graphs.turn_parameters(by)
