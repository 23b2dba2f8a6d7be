"""The foot of a form: the focused field, the buttons, and the state of the form."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui.forms.form_state import FormState
from tui.terminal.text import clean
from tui.widgets.field import Field

__all__ = ["ActionBar"]


class ActionBar(Vertical):
    """One line about a field, the buttons, and one sentence."""

    def compose(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        with Horizontal(id="actions"):
            with Horizontal(id="buttons"):
                yield Button("Start", id="start", compact=True, disabled=True, action="screen.start")
                yield Button("Find lr", compact=True, action="screen.find_rate")
                yield Button("Save", compact=True, action="screen.save")
                yield Button("Open", compact=True, action="screen.open")
                yield Button("Defaults", compact=True, action="screen.defaults")
                yield Button("All fields", id="all-fields", compact=True, action="screen.all_fields")
                yield Button("", id="fix", compact=True, action="screen.fix")
            yield Static("", id="state", markup=False)

    def on_mount(self) -> None:
        self.query_one("#fix").display = False

    def show(self, state: FormState, met: str = "") -> None:
        """Show the state of a form.

        Args:
            met: what its run would meet where it is to train, with a cross where it would be refused.
        """
        sign, color = ("✓", "$success") if state.ready else ("✗", "$text-error")
        if state.checking:
            sign, color = "…", "$text-muted"
        rest = "$foreground" if state.ready else color
        sentence = state.sentence
        if state.ready and met.startswith("✗"):
            sign, color, sentence = "▲", "$text-warning", met.removeprefix("✗").strip()
        elif state.ready and met:
            sentence = f"{sentence}; {met}"
        text = Content.assemble((f"{sign} ", color), (clean(sentence), rest))
        self.query_one("#state", Static).update(text, layout=False)
        self.query_one("#start", Button).disabled = not state.ready
        fix = self.query_one("#fix", Button)
        fix.display = state.fix is not None
        if state.fix is not None:
            fix.label = Content(clean(f"f  {state.fix}"))

    def show_fields(self, everything: bool) -> None:
        """Show what the button does where all fields are shown, or the basic ones."""
        self.query_one("#all-fields", Button).label = "Fewer fields" if everything else "All fields"

    def describe(self, field: Field) -> None:
        """Describe a field, or show its error in full."""
        spec = field.spec
        about = (
            spec.about if spec.kind == "choice" else f"{spec.about.rstrip('.')} · {field.hint}".strip(" ·")
        )
        was = "" if field.before is None else f"was {field.before or 'empty'}, ctrl+g puts it back"
        if field.problem:
            text = Content.styled(
                f"✗ {clean(field.problem)}{f' · {clean(was)}' if was else ''}", "$text-error"
            )
        else:
            text = Content(clean(f"{was} · {about}" if was else about))
        self.query_one("#about", Static).update(text, layout=False)
