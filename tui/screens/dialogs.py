"""Small windows over a screen: a question, an error, the help."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.widgets import Button, Static

from core.errors import TorchtuiError
from core.remedies import worded
from tui.forms.remedies import app_words
from tui.screens.base import ModeScreen
from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["Ask", "ErrorDialog", "HelpDialog"]


class Ask(Dialog[str]):
    """A question with one button per answer; returns the key of the chosen one, or None after Escape.

    Args:
        question: plain text.
        answers: key to label; the last one is the safe choice and has the focus.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, answers: dict[str, str]) -> None:
        super().__init__()
        self.question, self.answers = question, answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self.question)), classes="question")
            with Horizontal(classes="answers"):
                for key, label in self.answers.items():
                    yield Button(label, id=f"answer-{key}", compact=True)

    def on_mount(self) -> None:
        self.query(Button).last().focus()

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(str(event.button.id).removeprefix("answer-"))


class ErrorDialog(Dialog[None]):
    """Dialog for an error: what went wrong, what to do, and the traceback on request."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Close"),
        Binding("t", "toggle_trace", "Traceback"),
    ]

    def __init__(self, error: BaseException, trace: str = "") -> None:
        super().__init__()
        self.error, self.trace = error, trace

    def compose(self) -> ComposeResult:
        known = isinstance(self.error, TorchtuiError)
        text = self.error.message if isinstance(self.error, TorchtuiError) else str(self.error)
        title = "" if known else f"{type(self.error).__name__}: "
        with Vertical(classes="dialog -error"):
            yield Static(Content.assemble(("✗ ", "$error"), clean(title + text)))
            if isinstance(self.error, TorchtuiError) and self.error.hint:
                yield Static(Content(clean(worded(self.error.hint, app_words))), classes="hint")
            if self.trace:
                with VerticalScroll(id="trace"):
                    yield Static(Content("\n".join(clean(line) for line in self.trace.splitlines())))
            with Horizontal(classes="answers"):
                yield Button("Close", id="close", compact=True)
                if self.trace:
                    yield Button("Traceback (t)", id="trace-button", compact=True)

    def on_mount(self) -> None:
        self.query_one("#close").focus()
        if self.trace:
            self.query_one("#trace").display = False

    def action_toggle_trace(self) -> None:
        """Show or hide the traceback."""
        if self.trace:
            trace = self.query_one("#trace")
            trace.display = not trace.display

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "close":
            self.dismiss()
        else:
            self.action_toggle_trace()


class HelpDialog(Dialog[None]):
    """The purpose of a screen and all its keys; the border shows whether there is more below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,f1,q", "dismiss", "Close")]

    def __init__(self, screen: ModeScreen) -> None:
        super().__init__()
        self.of = screen

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -help") as body:
            body.border_title = self.of.MODE.capitalize()
            yield Static(Content(self.of.HELP), classes="purpose")
            with Grid(classes="keys"):
                for key, meaning in self._keys():
                    yield Static(Content.styled(key, "bold"), classes="key")
                    yield Static(Content(meaning), classes="meaning")

    def on_mount(self) -> None:
        body = self.query_one(VerticalScroll)
        for name in ("show_vertical_scrollbar", "scroll_y"):
            self.watch(body, name, self._tell_what_is_below)

    def _tell_what_is_below(self) -> None:
        body = self.query_one(VerticalScroll)
        below = body.show_vertical_scrollbar and body.scroll_y < body.max_scroll_y
        body.border_subtitle = "↓ more  esc closes" if below else "esc closes"

    def _keys(self) -> list[tuple[str, str]]:
        """Return one line per action: those of the screen, of the focused widget, and of the app."""
        order: list[DOMNode | None] = [self.of, self.of.focused]
        found: dict[tuple[object, str], ActiveBinding] = {}
        for active in self.of.active_bindings.values():
            found.setdefault((active.node, active.binding.action), active)

        def place(active: ActiveBinding) -> int:
            general = "." in active.binding.action or active.node not in order
            return len(order) if general else order.index(active.node)

        def meaning(binding: Binding) -> str:
            text = binding.tooltip or binding.description
            return text[:1].upper() + text[1:]

        return [
            (self.app.get_key_display(active.binding), meaning(active.binding))
            for active in sorted(found.values(), key=place)
            if active.binding.description and not active.binding.action.startswith("scroll_")
        ]
