"""The foot of a form: the focused field, the buttons, and the state of the form."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui.forms.form_state import FormState
from tui.terminal.text import clean, fit, wrapped
from tui.widgets.field import Field

__all__ = ["ActionBar"]

MAX_LINES = 3
PROBLEM = "$text-error"


class Sentence(Static):
    """A line that is cut where it does not fit; what has to be read to its end takes more lines."""

    def __init__(self, *, id: str) -> None:
        super().__init__("", id=id, markup=False)
        self._whole, self._style = "", ""

    def tell(self, text: Content) -> None:
        """Show a text in one line."""
        self._whole = ""
        self._put(text, 1)

    def tell_whole(self, sign: str, text: str, style: str) -> None:
        """Show a text after its sign in as many lines as it needs, up to three."""
        self._whole, self._style = f"{sign} {text}", style
        self._show_whole()

    def on_resize(self) -> None:
        if self._whole:
            self._show_whole()

    def _show_whole(self) -> None:
        width = self.content_size.width or len(self._whole)
        lines = wrapped(self._whole, width)
        if len(lines) > MAX_LINES:
            lines = [*lines[: MAX_LINES - 1], fit(" ".join(lines[MAX_LINES - 1 :]), width)]
        self._put(Content.styled("\n".join(lines), self._style), len(lines))

    def _put(self, text: Content, lines: int) -> None:
        self.styles.height = lines
        self.update(text, layout=False)


class ActionBar(Vertical):
    """One line about a field, the buttons, and one sentence."""

    def compose(self) -> ComposeResult:
        yield Sentence(id="about")
        with Horizontal(id="actions"):
            with Horizontal(id="buttons"):
                yield Button("Start", id="start", compact=True, disabled=True, action="screen.start")
                yield Button("Find lr", compact=True, action="screen.find_rate")
                yield Button("Save", compact=True, action="screen.save")
                yield Button("Open", compact=True, action="screen.open")
                yield Button("Defaults", id="defaults", compact=True, action="screen.defaults")
                yield Button("All fields", id="all-fields", compact=True, action="screen.all_fields")
                yield Button("", id="fix", compact=True, action="screen.fix")
            yield Sentence(id="state")

    def on_mount(self) -> None:
        self.query_one("#fix").display = False

    def show(self, state: FormState, met: str = "") -> None:
        """Show the state of a form.

        Args:
            met: what its run would meet where it is to train, with a cross where it would be refused.
        """
        sentence = self.query_one("#state", Sentence)
        if not state.ready:
            sentence.tell_whole("✗", state.sentence, PROBLEM)
        elif met.startswith("✗"):
            sentence.tell_whole("▲", met.removeprefix("✗").strip(), "$text-warning")
        elif met:
            sentence.tell_whole("…" if state.checking else "✓", f"{state.sentence}; {met}", "$foreground")
        else:
            sign = ("… ", "$text-muted") if state.checking else ("✓ ", "$success")
            sentence.tell(Content.assemble(sign, clean(state.sentence)))
        self.query_one("#start", Button).disabled = not state.ready
        fix = self.query_one("#fix", Button)
        fix.display = state.fix is not None
        self.query_one("#buttons").set_class(fix.display, "-fixing")
        if state.fix is not None:
            fix.label = Content(clean(f"f  {state.fix}"))

    def show_fields(self, everything: bool) -> None:
        """Show what the button does where all fields are shown, or the basic ones."""
        self.query_one("#all-fields", Button).label = "Fewer fields" if everything else "All fields"

    def describe(self, field: Field | None) -> None:
        """Describe a field, or show its error in full; None leaves the line empty."""
        sentence = self.query_one("#about", Sentence)
        if field is None:
            sentence.tell(Content(""))
            return
        spec = field.spec
        about = (
            spec.about if spec.kind == "choice" else f"{spec.about.rstrip('.')} · {field.hint}".strip(" ·")
        )
        was = "" if field.before is None else f"was {field.before or 'empty'}, ctrl+g puts it back"
        if field.problem:
            sentence.tell_whole("✗", f"{field.problem} · {was}" if was else field.problem, PROBLEM)
        else:
            sentence.tell(Content(clean(f"{was} · {about}" if was else about)))
