"""One field of a form in one row: label, value, and a hint or an error."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, DescendantBlur, DescendantFocus, Focus, Key
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Checkbox, Input

from tui.forms.form import short
from tui.forms.form_fields import FieldSpec, show
from tui.terminal.text import fit
from tui.widgets.choice import Choice, Several
from tui.widgets.path_suggester import PathSuggester

__all__ = ["Field"]

LABEL_CELLS = 21
VALUE_CELLS = 20
GAP = 2


class TextEditor(Input):
    """Text input; suggests paths of files with certain suffixes.

    Args:
        letters: letters are typed into it; otherwise, as in a number, ``?`` asks what the field is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "restore", "Put back what stood here when the field was entered", show=False)
    ]

    def __init__(self, text: str, files: Sequence[str] = (), *, letters: bool = True) -> None:
        suggester = PathSuggester(files) if files else None
        super().__init__(text, compact=True, classes="editor", suggester=suggester)
        self.letters, self.before = letters, text

    def action_restore(self) -> None:
        """Put back what stood here when the field was entered."""
        self.value = self.before

    @on(Focus)
    def _entered(self) -> None:
        self.before = self.value

    @on(Key)
    async def _asked(self, event: Key) -> None:
        if event.character == "?" and not self.letters:
            event.stop()
            event.prevent_default()
            await self.run_action("app.help")


class SwitchEditor(Checkbox, inherit_bindings=False):
    """On or off."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,left,right", "toggle_button", "Turn on or off", show=False)
    ]

    def __init__(self, text: str) -> None:
        super().__init__(text, value=text == "on", compact=True, classes="editor")

    def watch_value(self) -> None:
        self.label = "on" if self.value else "off"
        super().watch_value()


class Field(Widget):
    """A field of the form. It draws its label and hint itself; the editor is its only child.

    Args:
        spec: description of the field.
        text: its content.
    """

    @dataclass
    class Changed(Message):
        """The text of a field has changed."""

        field: "Field"
        text: str

    def __init__(self, spec: FieldSpec, text: str) -> None:
        super().__init__()
        self.spec, self.hint, self.problem = spec, spec.hint, ""
        self._text = text
        self.editor = self._make_editor()

    @property
    def text(self) -> str:
        """Text of the field. Setting it posts no message."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text = text
        if isinstance(self.editor, Choice):
            self.editor.put(text)
        elif isinstance(self.editor, SwitchEditor):
            self.editor.value = text == "on"
        elif self.editor.value != text:
            self.editor.value = text

    def describe(self, spec: FieldSpec) -> None:
        """Replace the description of the field."""
        self.spec = spec
        self.set_hint(spec.hint)

    def set_hint(self, hint: str) -> None:
        """Set the hint shown after the value while it is valid."""
        self.hint = hint
        self.refresh()

    def set_problem(self, problem: str) -> None:
        """Set the problem of the value; empty if there is none."""
        if problem != self.problem:
            self.problem = problem
            self.set_class(bool(problem), "-wrong")
            self.refresh()

    def set_choices(self, options: Iterable[tuple[str, str]]) -> None:
        """Replace the list of (label, value) to choose from; keep the value."""
        assert isinstance(self.editor, Choice)
        self.editor.set_options(options)

    def compose(self) -> ComposeResult:
        yield self.editor

    def render(self) -> Content:
        focused = self.has_focus_within
        label = fit(("▸ " if focused else "  ") + self.spec.label, LABEL_CELLS)
        room = self.content_size.width - LABEL_CELLS - VALUE_CELLS - GAP
        space = " " * (VALUE_CELLS + GAP)
        if self.problem:
            behind = fit(f"✗ {short(self.problem)}", room)
        else:
            full = f"{self.hint} · {self.spec.about}".strip(" ·")
            whole = not self.hint or (cell_len(full) <= room and self.spec.kind != "choice")
            behind = fit(full if whole else self.hint, room)
        return Content.assemble(
            (label, "bold $accent" if focused else "$foreground"),
            space,
            (behind, "$text-error" if self.problem else "$foreground 60%"),
        )

    def _make_editor(self) -> TextEditor | Choice | SwitchEditor:
        spec = self.spec
        if spec.kind == "choice":
            values = [show(choice) for choice in spec.choices]
            kind = Several if spec.many else Choice
            return kind(zip(spec.labels or values, values, strict=True), self._text, classes="editor")
        return SwitchEditor(self._text) if spec.kind == "switch" else self._make_text()

    def _make_text(self) -> TextEditor:
        return TextEditor(self._text, self.spec.files, letters=self.spec.kind == "text" or self.spec.many)

    @property
    def before(self) -> str | None:
        """Text that stood here when the field was entered, if another stands here now."""
        editor = self.editor
        changed = isinstance(editor, TextEditor) and editor.has_focus and editor.before != self._text
        return editor.before if isinstance(editor, TextEditor) and changed else None

    @on(Input.Changed)
    @on(Choice.Changed)
    @on(Checkbox.Changed)
    def _edited(self, event: Input.Changed | Choice.Changed | Checkbox.Changed) -> None:
        event.stop()
        value = self.editor.value
        text = show(value) if isinstance(value, bool) else str(value)
        if text != self._text:
            self._text = text
            self.post_message(self.Changed(self, text))

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        self.refresh()

    @on(Click)
    def _clicked(self) -> None:
        if not self.editor.has_focus:
            self.editor.focus()
