"""One field of a form in one row: label, value, and a hint or an error."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, DescendantBlur, DescendantFocus, Focus, Key
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Checkbox, Input, OptionList

from tui.forms.form import short
from tui.forms.form_fields import FieldSpec, show
from tui.terminal.text import clean, fit
from tui.widgets.choice import Choice, ChoiceList, Several
from tui.widgets.path_suggester import PathSuggester

__all__ = ["LABEL_CELLS", "Field"]

LABEL_CELLS = 21
VALUE_CELLS = 20
GAP = 2
MARK = " ▼"
"""At the end of a value that can be chosen from a list."""


class TextEditor(Input):
    """Text input; suggests paths of files with certain suffixes, or some values.

    Args:
        letters: letters are typed into it; otherwise, as in a number, ``?`` asks what the field is.
    """

    @dataclass
    class Listed(Message):
        """The list of values is to be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "restore", "Put back what stood here when the field was entered", show=False)
    ]

    def __init__(self, text: str, files: Sequence[str] = (), *, letters: bool = True) -> None:
        suggester = PathSuggester(files) if files else None
        super().__init__(text, compact=True, classes="editor", suggester=suggester)
        self.letters, self.before = letters, text
        self.values: Mapping[str, str] = {}
        self.listed = False

    def offer(self, values: Mapping[str, str]) -> None:
        """Suggest some values, each with what there is to know about it."""
        self.values = values
        self.suggester = SuggestFromList(values, case_sensitive=False)

    async def action_submit(self) -> None:
        """Open the list of values if there is one, unless a text was typed."""
        if self.values and self.value == self.before:
            self.listed = True
            self.post_message(self.Listed())
        else:
            await super().action_submit()

    def action_restore(self) -> None:
        """Put back what stood here when the field was entered."""
        self.value = self.before

    @on(Focus)
    def _entered(self) -> None:
        if not self.listed:  # it comes back from its list otherwise
            self.before = self.value
        self.listed = False

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

    def offer(self, values: Mapping[str, str]) -> None:
        """Suggest values of a text, each with what there is to know about it; any other can be typed, too."""
        if isinstance(self.editor, TextEditor):
            self.editor.offer(values)
            self.editor.styles.width = VALUE_CELLS - len(MARK) if values else VALUE_CELLS
            self.refresh()

    @property
    def _offered(self) -> Mapping[str, str]:
        return self.editor.values if isinstance(self.editor, TextEditor) else {}

    def compose(self) -> ComposeResult:
        yield self.editor

    def render(self) -> Content:
        focused = self.has_focus_within
        label = fit(("▸ " if focused else "  ") + self.spec.label, LABEL_CELLS - 1) + " "
        room = self.content_size.width - LABEL_CELLS - VALUE_CELLS - GAP
        ground = "$accent 25%" if self.editor.has_focus else "$panel"
        mark = (MARK, f"$foreground 50% on {ground}") if self._offered else (" " * len(MARK), "")
        if self.problem:
            behind = fit(f"✗ {short(self.problem)}", room)
        else:
            full = f"{self.hint} · {self.spec.about}".strip(" ·")
            whole = not self.hint or (cell_len(full) <= room and self.spec.kind != "choice")
            behind = fit(full if whole else self.hint, room)
        return Content.assemble(
            (label, "bold $accent" if focused else "$foreground"),
            " " * (VALUE_CELLS - len(MARK)),
            mark,
            " " * GAP,
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
    async def _clicked(self, event: Click) -> None:
        if event.widget is self and LABEL_CELLS <= event.x < LABEL_CELLS + VALUE_CELLS and self._offered:
            await self._open_list()
        elif not self.editor.has_focus and not self.query(ChoiceList):
            self.editor.focus()

    @on(TextEditor.Listed)
    async def _open_list(self) -> None:
        """Open the list of suggested values."""
        widest = max(map(cell_len, self._offered))
        opened = ChoiceList(
            (clean(f"{fit(value, widest)}  {about}") for value, about in self._offered.items()), self.editor
        )
        await self.mount(opened)
        opened.highlighted = [*self._offered].index(self._text) if self._text in self._offered else 0
        opened.focus(scroll_visible=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if isinstance(self.editor, TextEditor):
            event.stop()
            self.editor.value = [*self._offered][event.option_index]
            self.editor.focus()
