"""The section of a form that chooses where a run or a study trains: a host, its settings, and profiles of them."""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import DescendantFocus
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from core.errors import TorchtuiError
from tui.forms.form_fields import FieldSpec, specs_of
from tui.forms.option_form import HOST, errors_in, texts_of, values_in
from tui.forms.remedies import error_in_app
from tui.runtime.hosts.host import Bounds, Host
from tui.runtime.hosts.profiles import load_profile, profile_names
from tui.runtime.hosts.registry import DEFAULT_HOST, HOSTS, available_hosts, make_host
from tui.runtime.hosts.remembered import remembered
from tui.runtime.settings import Settings
from tui.screens.run_in.profiles_dialog import ProfilesDialog
from tui.terminal.text import clean
from tui.widgets.field import LABEL_CELLS, Field
from tui.widgets.form_view import Section

__all__ = ["RunIn"]

PROFILE = f"{HOST}.profile"
NO_PROFILE = "–"
ASK_SECONDS = 0.4
"""A host is asked once its settings have not changed for so long."""
STALE_SECONDS = 60.0
"""An answer so old is asked for again when one comes back to the settings."""


class RunIn(Section):
    """Where the run trains; its choices are kept in the settings of the app.

    Args:
        settings: of the app; a host in them that is not available on this machine is replaced by this app.
        only: name of the only host there is to choose; empty for all that are available.
        without: settings of that host that keep their defaults and are not shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "profiles", "profiles", tooltip="Save these settings as a profile; rename, delete them"
        )
    ]

    @dataclass
    class Changed(Message):
        """Host or settings have changed."""

    @dataclass
    class Bounded(Message):
        """A host has said what its settings may be."""

        host: Host
        limits: Mapping[str, Bounds]

    @dataclass
    class Foreseen(Message):
        """A host has said what a run would meet there now; an empty text says nothing."""

        host: Host
        text: str

    def __init__(self, settings: Settings, only: str = "", without: Collection[str] = ()) -> None:
        self.settings, self.only, self.without = settings, only, without
        self.offered = [only] if only else available_hosts()
        name = only or (settings.run_in if settings.run_in in self.offered else DEFAULT_HOST)
        self.name_of_host = name
        self.texts = texts_of(self._fitting(remembered(settings, name)), HOST)
        self.chooser = Field(_chooser(self.offered), name)
        self.profile = Field(_profile(), NO_PROFILE)
        self._asked_about: Host | None = None
        self._asked_at = -STALE_SECONDS
        self._unwanted = threading.Event()
        self._timer: Timer | None = None
        super().__init__(HOST, [self.chooser, self.profile, *self._make()])

    @property
    def unavailable(self) -> str:
        """Return why the remembered host cannot be used here; empty if it can."""
        wanted = HOSTS.get(self.settings.run_in)
        return wanted.unavailable() if wanted is not None else ""

    @property
    def host(self) -> Host | None:
        """The host with its settings; None while one is wrong."""
        return None if self.problems else make_host(self._values)

    @property
    def problems(self) -> dict[str, str]:
        """The error of each wrong setting, by path."""
        return errors_in(HOSTS[self.name_of_host], self._values, HOST)

    @property
    def fields(self) -> dict[str, Field]:
        """The fields that are shown, by path."""
        return {one.spec.path: one for one in self.query_children(Field) if one.display}

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Static("", classes="forecast", markup=False)

    def on_mount(self) -> None:
        self.show_fields(everything=True)  # also outside of a form of sections
        self.chooser.display = not self.only
        self._settle()

    def on_unmount(self) -> None:
        self._unwanted.set()

    def show_fields(self, *, everything: bool) -> None:
        """Show all fields, always: there are few, and a job needs them."""
        self.border_title = HOSTS[self.only].TITLE if self.only else "Run in"

    def action_profiles(self) -> None:
        """Save the settings as a profile; rename and delete others."""
        host = self.host
        if host is None:
            self.notify("Fix the marked fields first.", severity="warning")
            return

        def done(name: str | None) -> None:
            self._settle()

        shown = "" if self.profile.text == NO_PROFILE else self.profile.text
        self.app.push_screen(ProfilesDialog(shown, host), done)

    @on(Field.Changed)
    async def _edited(self, event: Field.Changed) -> None:
        event.stop()
        path = event.field.spec.path
        if path == self.chooser.spec.path:
            await self._put(remembered(self.settings, event.text))
            self.call_after_refresh(self.scroll_visible, top=True)  # its settings come below the last line
        elif path == PROFILE:
            await self._take(event.text)
        elif path in self.texts:
            self.texts[path] = event.text
        self._settle()

    async def _take(self, profile: str) -> None:
        """Show the settings of a profile."""
        if profile == NO_PROFILE:
            return
        try:
            host = load_profile(profile)
        except TorchtuiError as error:
            self.notify(clean(error_in_app(error)), severity="error", markup=False)
            return
        if reason := host.unavailable():
            self.notify(clean(f"{profile}: {reason}"), severity="warning", markup=False)
            return
        await self._put(host)

    def _fitting(self, host: Host) -> Host:
        """Return a host with the defaults of settings that are not shown."""
        fields = type(host).model_fields
        return host.model_copy(update={key: fields[key].default for key in self.without})

    async def _put(self, host: Host) -> None:
        """Show the fields of a host; the field that chooses keeps the focus."""
        host = self._fitting(host)
        changed = host.host_name != self.name_of_host
        self.name_of_host, self.texts = host.host_name, texts_of(host, HOST)
        self.chooser.text = host.host_name
        if not changed:
            for path, one in self.fields.items():
                if path in self.texts:
                    one.text = self.texts[path]
            return
        async with self.batch():
            kept = (self.chooser, self.profile)
            await self.remove_children([one for one in self.query_children(Field) if one not in kept])
            await self.mount_all(self._make(), before=self.query_one(".forecast"))

    def _ask_soon(self) -> None:
        """Ask the host about its settings and its queue, once they have not changed for a moment."""
        host = self.host
        if host == self._asked_about and time.monotonic() - self._asked_at < STALE_SECONDS:
            return
        self._unwanted.set()
        if self._timer is not None:
            self._timer.stop()
        if host != self._asked_about:
            self._tell("")
        self._asked_about, self._asked_at = host, time.monotonic()
        if host is not None:
            self._timer = self.set_timer(ASK_SECONDS, partial(self._ask, host))

    def _ask(self, host: Host) -> None:
        self._unwanted = unwanted = threading.Event()

        def ask() -> None:
            self.post_message(self.Bounded(host, host.limits()))
            try:
                met = "" if unwanted.is_set() else host.forecast(unwanted.is_set)
            except TorchtuiError as error:
                met = f"✗ {error_in_app(error)}"
            self.post_message(self.Foreseen(host, met))

        self.run_worker(ask, thread=True, name="limits")

    @on(Bounded)
    def _show_limits(self, event: Bounded) -> None:
        event.stop()
        if event.host.host_name != self.name_of_host:
            return
        for path, one in self.fields.items():
            if (bounds := event.limits.get(path.partition(".")[2])) is not None:
                one.set_hint(bounds.hint)
                one.offer(bounds.values)

    @on(Foreseen)
    def _show_forecast(self, event: Foreseen) -> None:
        if event.host == self._asked_about:
            self._tell(event.text)
        else:  # of other settings
            event.stop()

    def _tell(self, text: str) -> None:
        """Show what the host has answered."""
        shown = self.query_one(".forecast", Static)
        shown.display = bool(text)
        label = Content.styled(clean(f"  {'queue':<{LABEL_CELLS - 2}}"), "$foreground")
        color = "$text-error" if text.startswith("✗") else "$foreground 80%"
        shown.update(Content.assemble(label, Content.styled(clean(text), color)))

    @on(DescendantFocus)
    def _entered(self) -> None:
        self._ask_soon()

    def _make(self) -> list[Field]:
        kind = HOSTS[self.name_of_host]
        hidden = {f"{HOST}.{key}" for key in self.without}
        shown = [spec for spec in specs_of(kind, HOST) if spec.path not in hidden]
        return [Field(_plain(spec), self.texts[spec.path]) for spec in shown]

    @property
    def _values(self) -> dict[str, Any]:
        return {"name": self.name_of_host} | values_in(HOSTS[self.name_of_host], self.texts, HOST)

    def _settle(self) -> None:
        """Show problems and the profile that these settings are, and remember them."""
        problems, host = self.problems, self.host
        for path, one in self.fields.items():
            one.set_problem(problems.get(path, ""))
        if not self.only:
            self.settings.run_in = self.name_of_host
        if host is not None:
            values = host.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
            before = self.settings.hosts.get(self.name_of_host)
            kept = before.items() if isinstance(before, dict) else ()
            values |= {key: value for key, value in kept if key in self.without}
            self.settings.hosts = self.settings.hosts | {self.name_of_host: values}
        known = {
            name: self._fitting(saved)
            for name, saved in _profiles().items()
            if self.only in ("", saved.host_name)
        }
        self.profile.set_choices([(NO_PROFILE, NO_PROFILE), *((name, name) for name in known)])
        self.profile.text = next((name for name, saved in known.items() if saved == host), NO_PROFILE)
        self.profile.display = bool(known)
        self._ask_soon()
        self.post_message(self.Changed())


def _plain(spec: FieldSpec) -> FieldSpec:
    """Return a field that says what it is for rather than that it takes a text."""
    return replace(spec, hint="") if spec.kind == "text" and not spec.many else spec


def _profiles() -> Mapping[str, Host]:
    """Return the profiles that can be read, by name."""
    found = {}
    for name in profile_names():
        try:
            found[name] = load_profile(name)
        except TorchtuiError:  # the command line says what is wrong with it
            continue
    return found


def _chooser(names: list[str]) -> FieldSpec:
    return FieldSpec(
        path=HOST,
        label="run in",
        default=DEFAULT_HOST,
        hint="Where it trains",
        about="Where the run trains; each place has settings of its own, which ctrl+s saves as a profile.",
        kind="choice",
        choices=tuple(names),
        labels=tuple(HOSTS[name].TITLE for name in names),
    )


def _profile() -> FieldSpec:
    return FieldSpec(
        path=PROFILE,
        label="profile",
        default=NO_PROFILE,
        hint="Saved settings",
        about="Settings that were saved by a name; ctrl+s saves, renames and deletes them.",
        kind="choice",
        choices=(NO_PROFILE,),
    )
