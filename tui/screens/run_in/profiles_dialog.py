"""Dialog for saving, renaming and deleting profiles of hosts."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static

from core.errors import TorchtuiError
from tui.forms.remedies import error_in_app
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.profiles import (
    delete_profile,
    profile_names,
    profiles_folder,
    rename_profile,
    save_profile,
)
from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["ProfilesDialog"]


class ProfilesDialog(Dialog[str]):
    """The profiles, and a name. Returns the name that the settings were saved by, or None.

    Args:
        name: initial text of the name.
        host: the settings to save.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, name: str, host: Host) -> None:
        super().__init__()
        self.profile_name, self.host = name, host
        self._asked = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -preset") as body:
            body.border_title = f"Profiles  {self.host.TITLE}"
            yield Input(self.profile_name, placeholder="a name", compact=True)
            yield Static(Content(clean(f"in {profiles_folder()}")), classes="hint", id="folder")
            yield OptionList(compact=True)
            yield Static("", id="problem")
            with Horizontal(classes="answers"):
                yield Button("Save", id="save", compact=True, variant="primary")
                yield Button("Rename", id="rename", compact=True)
                yield Button("Delete", id="delete", compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        self._list()
        self._tell("")

    @property
    def chosen(self) -> str:
        """The profile with the cursor; empty without one."""
        names, place = profile_names(), self.query_one(OptionList).highlighted
        return names[place] if place is not None and place < len(names) else ""

    @property
    def typed(self) -> str:
        """The name that was typed."""
        return self.query_one(Input).value.strip()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "close":
            self.dismiss()
        else:
            {"save": self._save, "rename": self._rename, "delete": self._delete}[str(event.button.id)]()

    @on(Input.Submitted)
    def _save(self) -> None:
        if self.typed in profile_names() and not self._sure(
            f"save {self.typed}", "Save again to replace it."
        ):
            return
        if self._try(lambda: save_profile(self.typed, self.host)):
            self.notify(clean(self.typed), title="Profile saved", markup=False)
            self.dismiss(self.typed)

    def _rename(self) -> None:
        old, new = self.chosen, self.typed
        if not old:
            self._tell("✗ Choose a profile in the list, and type its new name.")
        elif self._try(lambda: rename_profile(old, new)):
            self._list()
            self._tell(f"{old} is now called {new}.")

    def _delete(self) -> None:
        name = self.chosen
        if not name:
            self._tell("✗ Choose a profile in the list.")
        elif self._sure(f"delete {name}", f"Delete again to delete {name}.") and self._try(
            lambda: delete_profile(name)
        ):
            self._list()
            self._tell(f"{name} is deleted.")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        field = self.query_one(Input)
        field.value = self.chosen
        field.focus()

    @on(Input.Changed)
    def _changed(self) -> None:
        self._asked = ""
        self._tell("")

    def _sure(self, what: str, question: str) -> bool:
        """Return whether the same was asked for before; ask for it once more otherwise."""
        if self._asked == what:
            return True
        self._asked = what
        self._tell(f"▲ {question}")
        return False

    def _try(self, act: Callable[[], object]) -> bool:
        """Act; show why that failed, if it did, and return whether it went well."""
        self._asked = ""
        try:
            act()
        except TorchtuiError as error:
            self._tell(f"✗ {error_in_app(error)}")
            return False
        return True

    def _list(self) -> None:
        names = profile_names()
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options([Text(clean(name)) for name in names])
        listed.display = bool(names)
        if self.profile_name in names:
            listed.highlighted = names.index(self.profile_name)
        for name in ("rename", "delete"):
            self.query_one(f"#{name}", Button).disabled = not names

    def _tell(self, text: str) -> None:
        color = {"✗": "$text-error", "▲": "$text-warning"}.get(text[:1], "$foreground")
        told = self.query_one("#problem", Static)
        told.display = bool(text)
        told.update(Content.styled(clean(text), color))
