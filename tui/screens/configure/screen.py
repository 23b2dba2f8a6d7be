"""Configure: the form of a run, and its preview."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.timer import Timer

from core import devices
from core.config.schema import TrainConfig
from core.counting import counted
from core.devices import Device
from core.session.preload import load_backend
from tui.forms.data_overview import DataFacts
from tui.forms.form import fill, values_of
from tui.forms.form_fields import DEVICE, RATE
from tui.forms.form_state import FormState
from tui.forms.guide.explain import Explanation, of_field
from tui.forms.guide.find import line_of, matching
from tui.forms.preview import Preview, Previewer
from tui.screens.base import NARROW
from tui.screens.configure import form_actions
from tui.screens.configure.action_bar import ActionBar
from tui.screens.configure.data_dialog import DataDialog
from tui.screens.configure.finder import BatchFinder, RateFinder
from tui.screens.configure.placed_form import RUN_NAME, PlacedForm
from tui.screens.configure.preview_panels import PreviewView
from tui.screens.configure.target_dialog import TargetDialog
from tui.screens.jobs.actions import USE
from tui.screens.run_in.section import RunIn
from tui.screens.search_dialog import SearchDialog
from tui.terminal.text import bytes_, clean
from tui.widgets.field import Field
from tui.widgets.form_view import STOPS, FormView

if TYPE_CHECKING:
    from core.data.tables.targets.choose import Candidate

__all__ = ["ConfigureScreen"]

DEBOUNCE_SECONDS = 0.15
NEED_FORM = {"copy", "save_command", "save", "open", "defaults", "all_fields", "find_field", "section"}
"""Actions that wait until the form is there."""
BATCH_SIZE = "training.batch_size"
TARGET = "data.target"


class ConfigureScreen(PlacedForm):
    """The form at the left; data, network, cost and the equivalent command at the right."""

    MODE = "configure"
    AUTO_FOCUS = ""
    HELP = (
        "Every field of a run. Up and Down move between fields, Left and Right step through a list, Enter opens "
        "it, and Escape leaves a field so that single letters work as keys again. Errors are shown beside their "
        "fields; the run can start once there are none. On the right: the data, the network, its cost, and the "
        "equivalent command. The last section chooses where the run trains; its settings can be saved as a profile."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start", "start", tooltip="Start the run"),
        Binding("f", "fix", "fix", tooltip="Apply the suggested fix"),
        Binding("p", "preview", "preview", tooltip="Form or preview, on small screens"),
        Binding(
            "d", "data", "data", tooltip="Inspect the data: rows or images, ranges, classes of each split"
        ),
        Binding("ctrl+l", "find_rate", "find lr", tooltip="Find a learning rate and plot its curve"),
        Binding("b", "find_batch", "batch size", tooltip="Find batch sizes that fit in memory"),
        Binding("y", "copy", "copy", tooltip="Copy the job script, or the equivalent command"),
        Binding("e", "save_command", "save file", tooltip="Save the job script or the command", show=False),
        Binding("ctrl+s", "save", "save", tooltip="Save the form as a preset"),
        Binding("ctrl+o", "open", "open", tooltip="Open a preset"),
        USE,
        Binding("a", "all_fields", "all fields", tooltip="Show all fields, or the basic ones"),
        Binding("slash,ctrl+f", "find_field", "find", key_display="/", tooltip="Find a field by its name"),
        Binding("right_square_bracket,ctrl+down", "section(1)", "Next section", key_display="]", show=False),
        Binding(
            "left_square_bracket,ctrl+up", "section(-1)", "Previous section", key_display="[", show=False
        ),
        # Priority: a focused field would delete a character.
        Binding("ctrl+d", "defaults", "defaults", tooltip="Reset all fields; asks first", priority=True),
        Binding("escape", "leave_field", "Leave the field", show=False),
        Binding("up", "above", "Field above", show=False),
        Binding("down", "below", "Field below", show=False),
    ]

    @dataclass
    class Previewed(Message):
        """A preview has been computed."""

        preview: Preview

    @dataclass
    class DevicesFound(Message):
        """The available devices are known."""

        devices: list[Device]

    def __init__(self) -> None:
        super().__init__()
        self.state = FormState()
        self.built = self.computing = False
        self._devices: dict[str, str] = {}
        self._offered: tuple[bool, ...] = ()
        self._timer: Timer | None = None
        self._asked: set[str] = set()

    def compose_body(self) -> ComposeResult:
        yield Horizontal(id="configure")
        yield ActionBar()

    async def refresh_content(self) -> None:
        if not self.built:
            if not self.query(FormView):  # a second time while the app ends
                await self._build()
            return
        self.form.extra[RUN_NAME.path].text = self.tui.run_name
        if self.tui.form_values != self.state.values:
            await self._fill(self.tui.form_values)
        elif self.state.preview is not None and self.state.preview.note:
            self._preview_anew()
        else:
            self._ask_for_code()

    async def _build(self) -> None:
        """Build the form, after the first paint."""
        self._previewer = Previewer(self.tui.data_root)
        texts, dropped = fill(self.tui.form_values)
        everything = self.tui.settings.all_fields
        run_in = RunIn(self.tui.settings)
        if run_in.unavailable:
            self.notify(clean(f"Run in this app: {run_in.unavailable}"), severity="warning", markup=False)
        form = FormView(texts, {RUN_NAME: self.tui.run_name}, run_in, everything=everything, id="form")
        self.query_one(ActionBar).show_fields(everything)
        await self.query_one("#configure").mount(form, PreviewView(id="preview"))
        if not form.fields:  # the app ended meanwhile
            return
        self.built = True
        form.fields["data.name"].editor.focus()
        self._tell_dropped(dropped)
        form.keep_given()
        self._revise()
        self.run_worker(self._find_devices, thread=True)
        self.set_interval(form_actions.CODE_SECONDS, self._look_at_code)

    def on_resize(self) -> None:
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable Start while there are errors, and the keys for fix and preview where they do not apply."""
        if action == "start":
            return True if self.state.ready else None
        if action == "fix":
            return self.state.fix is not None
        if action == "data":
            return self._facts is not None or bool(self._targets)
        if action == "preview":
            return self.built and self.size.width < NARROW
        if action in {"find_rate", "find_batch", "use"}:
            return True if self.state.config else None
        return self.built or action not in NEED_FORM

    def action_find_rate(self) -> None:
        """Find a learning rate for the run in the form."""
        self._find(RateFinder, RATE)

    def action_find_batch(self) -> None:
        """Find a batch size for the run in the form."""
        self._find(BatchFinder, BATCH_SIZE)

    def _find(self, finder: type[RateFinder] | type[BatchFinder], path: str) -> None:
        """Open a dialog that finds a value, and put it into the field."""
        if not self._is_idle():
            text = "A run is training here; a search beside it would slow it down. Wait, or detach the run in Live."
            self.notify(text, severity="warning")
            return

        def found(text: str | None) -> None:
            if text is not None:
                self.run_worker(self.form.put(path, text))

        if self.state.config is not None:
            self.app.push_screen(finder(self.state.config, self.tui.data_root), found)

    async def action_fix(self) -> None:
        """Apply the suggested fix."""
        if self.state.fix is not None:
            await self.form.put(self.state.fix.path, self.state.fix.text)

    @property
    def _facts(self) -> DataFacts | None:
        return self.state.preview.facts if self.state.preview else None

    @property
    def _targets(self) -> "tuple[Candidate, ...]":
        """Columns to choose the target from, if none stands out."""
        return self.state.preview.targets if self.state.preview else ()

    def action_data(self) -> None:
        """Show the data, or ask for the target if none stands out."""
        if self._facts is not None:
            self.app.push_screen(DataDialog(self._facts))
        elif self._targets:
            self._choose_target()

    def _choose_target(self) -> None:
        """Ask for the target column."""

        def chosen(name: str | None) -> None:
            if name is not None:
                self.run_worker(self.form.put(TARGET, name))

        path = self.form.texts.get("data.path", "")
        self.app.push_screen(TargetDialog(Path(path).name, self._targets), chosen)

    def _ask_for_target(self) -> None:
        """Ask for the target column, once per file."""
        path = self.form.texts.get("data.path", "")
        if self._targets and self.is_current and path not in self._asked:
            self._asked.add(path)
            self._choose_target()

    def action_preview(self) -> None:
        """Show the preview in place of the form, or the form again."""
        shown = not self.has_class("-preview")
        self.set_class(shown, "-preview")
        (self.query_one(PreviewView) if shown else self.form.fields["data.name"].editor).focus()

    def action_all_fields(self) -> None:
        """Show all fields, or the basic ones and those that were changed."""
        everything = self.tui.settings.all_fields = not self.tui.settings.all_fields
        self.form.show_fields(everything)
        self.query_one(ActionBar).show_fields(everything)

    def action_find_field(self) -> None:
        """Find a field by its name or description, and move to it."""
        specs = [field.spec for field in self.form.all_fields()]

        def found(place: int | None) -> None:
            if place is not None:
                self.remove_class("-preview")
                self.form.reveal(specs[place].path)

        hint = "name, section or a word of the description"
        lines = [line_of(spec) for spec in specs]
        self.app.push_screen(SearchDialog("Find a field", hint, lines, partial(matching, specs)), found)

    def action_section(self, by: int) -> None:
        """Move to the first field of the next or previous section."""
        self.form.turn_section(by)

    def explanation(self) -> Explanation | None:
        """Explain the focused field."""
        field = self.focused.parent if self.focused else None
        return of_field(field.spec, field.text) if isinstance(field, Field) else None

    def action_above(self) -> None:
        """Move to the field above."""
        self.focus_previous(STOPS)

    def action_below(self) -> None:
        """Move to the field below."""
        self.focus_next(STOPS)

    def _preview_anew(self) -> None:
        self.state = replace(self.state, preview=None)
        self._request_preview()

    @on(FormView.Changed)
    def _revise(self) -> None:
        """Check the form, and show the result."""
        beside = self.run_in.problems
        self.state = FormState.of(values_of(self.form.texts), self.state.preview, beside)
        self.tui.form_values = dict(self.state.values)
        self.show_command()
        self._request_preview()
        self._show_state()

    def _request_preview(self) -> None:
        """Compute a preview once the form has not changed for a moment."""
        if self._timer is not None:
            self._timer.stop()
        if not self.state.previewed:
            self._timer = self.set_timer(DEBOUNCE_SECONDS, self._compute)

    def _compute(self) -> None:
        """Compute a preview on a thread: one at a time, since a thread cannot be stopped."""
        config = self.state.nearest
        if config is not None and not self.state.previewed and not self.computing:
            self.computing = True
            self.query_one(PreviewView).show_busy(True)
            self.run_worker(lambda: self._preview_of(config), thread=True)

    def _preview_of(self, config: TrainConfig) -> None:
        """Compute a preview in the thread; report a defect in its place, so that the form survives."""
        load_backend()
        try:
            preview = self._previewer.tried(self._previewer.compute(config), self._is_idle)
        except Exception as error:
            preview = Preview(config, note=f"no preview: {type(error).__name__}: {error}")
        self.post_message(self.Previewed(preview))

    def _is_idle(self) -> bool:
        """Return whether no run trains in this app."""
        return self.tui.feed is None or not self.tui.feed.in_app

    def _find_devices(self) -> None:
        load_backend()
        self.post_message(self.DevicesFound(devices.discover()))

    @on(Previewed)
    def _previewed(self, event: Previewed) -> None:
        self.computing = False
        self.state = replace(self.state, preview=event.preview)
        view = self.query_one(PreviewView)
        view.show_busy(False)
        view.show(event.preview)
        self._compute()
        self._show_state()
        self._ask_for_target()
        if self.state.previewed:
            self._ask_for_code()

    @on(DevicesFound)
    def _list_devices(self, event: DevicesFound) -> None:
        found = {device.name: f"{device.label}  {bytes_(device.memory)}" for device in event.devices}
        best = event.devices[0].name
        self._devices = {**found, "auto": f"→ {best}  {found[best]}"}
        options = [("auto", "auto"), *((f"{name}  {text}", name) for name, text in found.items())]
        self.form.fields[DEVICE].set_choices(options)
        self._show_state()

    @on(RunIn.Changed)
    def _place_changed(self) -> None:
        """Check again whether the run can start, and show what would be executed."""
        if self.built:
            self.state = replace(self.state, beside=self.run_in.problems)
            self.show_command()
            self._show_state()

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _describe_field(self) -> None:
        """Describe the focused field."""
        field = self.focused.parent if self.focused else None
        self.query_one(ActionBar).describe(field if isinstance(field, Field) else None)

    def _show_state(self) -> None:
        """Show problems at their fields, whether the run can start, and if not, why."""
        form, steps = self.form, self.state.steps_per_epoch
        form.show_problems(self.state.problems)
        batch_size, device = form.fields[BATCH_SIZE], form.fields[DEVICE]
        batch_size.set_hint(f"{counted(steps, 'step')} per epoch" if steps else batch_size.spec.hint)
        device.set_hint(self._devices.get(device.text, device.spec.hint))
        self.query_one(ActionBar).show(self.state, self.met)
        self._describe_field()
        offered = (self.state.ready, self.state.fix is None, self._facts is None, bool(self._targets))
        if offered != self._offered:  # rebuilding the footer takes longer than everything else
            self._offered = offered
            self.refresh_bindings()
