"""The right side of Configure: preview of the run that the form describes."""

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from core.session.preflight.finding import Finding
from tui.charts.plot import Plot
from tui.charts.rate import rate_chart, rate_subtitle
from tui.forms import preview_drawings as draw
from tui.forms.preview import Preview
from tui.terminal.text import clean, count
from tui.widgets.command_panel import CommandPanel
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel

__all__ = ["PreviewView", "ScriptPanel"]

UNKNOWN = "shown once its fields are right"


class ScriptPanel(Panel):
    """The script of the job that would be submitted; a click copies it."""

    class Clicked(Message):
        """The script is to be copied."""

    def __init__(self) -> None:
        shown = [Static("", id=name, markup=False) for name in ("script-forecast", "script")]
        super().__init__(*shown, id="script-panel")
        self.border_title, self.border_subtitle = "the job script", "y copies  e saves"

    def show(self, script: str) -> None:
        """Show a script; an empty text hides the panel."""
        self.display = bool(script)
        self.query_one("#script", Static).update(
            Content("\n".join(map(clean, script.rstrip("\n").split("\n"))))
        )

    def tell(self, text: str) -> None:
        """Show what the job would meet in the queue; an empty text says nothing."""
        told = self.query_one("#script-forecast", Static)
        told.display = bool(text)
        told.update(Content.styled(clean(text), "$text-error" if text.startswith("✗") else "bold"))

    @on(Click)
    def _clicked(self) -> None:
        self.post_message(self.Clicked())


class PreviewView(VerticalScroll):
    """Data, samples, network, cost and command."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="preview-columns"):
            with Vertical(classes="preview-column"):
                with Panel(id="data-panel"):
                    yield Drawing(id="facts")
                    yield Drawing(id="balance")
                    yield Static("", id="preview-warnings", markup=False)
                    yield Static("", id="preview-note", markup=False)
                with Panel(id="model-panel"):
                    yield Drawing(id="layers")
                    yield Drawing(id="cost")
                with Panel(id="preflight-panel"):
                    yield Drawing(id="findings")
                with Panel(id="rate-panel"):
                    yield Plot(id="rate")
                yield CommandPanel("y copies  e saves")
            with Vertical(classes="preview-column"), Panel(id="samples-panel"):
                yield Drawing(id="samples")
        yield ScriptPanel()

    def on_mount(self) -> None:
        for name in ("data", "samples", "model"):
            self.query_one(f"#{name}-panel").border_title = name
        self.query_one("#rate-panel").border_title = "learning rate"
        self.query_one("#preflight-panel").border_title = "pre-flight"

    def show_busy(self, busy: bool) -> None:
        """Show whether a newer preview is being computed."""
        self.query_one("#data-panel").border_subtitle = "computing …" if busy else ""

    def show_executed(self) -> None:
        """Scroll to what would be executed."""
        script = self.query_one(ScriptPanel)
        shown = script if script.display else self.query_one(CommandPanel)
        self.scroll_to_widget(shown, animate=False)

    def show(self, preview: Preview) -> None:
        """Show the preview of a configuration."""
        facts, model, memory = preview.facts, preview.model, preview.memory
        note = self.query_one("#preview-note", Static)
        notes = [preview.note] if preview.note else list(facts.notes) if facts else [UNKNOWN]
        note.update("\n".join(map(clean, notes)))
        note.display = bool(notes)
        suspicious = self.query_one("#preview-warnings", Static)
        suspicious.update(draw.warning_lines(facts.warnings) if facts else "")
        suspicious.display = bool(facts and facts.warnings)
        drawn = {"facts": draw.facts_lines, "balance": draw.balance, "samples": draw.samples}
        for name, function in drawn.items():
            self.query_one(f"#{name}", Drawing).show(partial(function, facts) if facts else None)
        samples = self.query_one("#samples-panel")
        samples.display = facts is not None
        samples.border_subtitle = "d shows more"
        panel = self.query_one("#model-panel")
        panel.display = model is not None
        panel.border_subtitle = f"{count(model.parameters)} parameters" if model else ""
        self.query_one("#layers", Drawing).show(partial(draw.layers, model) if model else None)
        self.query_one("#cost", Drawing).show(partial(draw.cost, model, memory) if model and memory else None)
        found, panel = preview.findings, self.query_one("#preflight-panel")
        panel.display = bool(found)
        panel.border_subtitle = _outcome(found)
        self.query_one("#findings", Drawing).show(partial(draw.findings, found) if found else None)
        rates, panel = rate_chart(preview.config, preview.steps_per_epoch), self.query_one("#rate-panel")
        panel.display = bool(rates.series)
        panel.border_subtitle = rate_subtitle(preview.config, rates)
        self.query_one("#rate", Plot).show(rates)


def _outcome(found: Sequence[Finding]) -> str:
    """Return the outcome of pre-flight in a few words."""
    levels = {finding.level for finding in found}
    if "error" in levels:
        return "cannot train yet"
    return "can train, see the warning" if "warning" in levels else "all is well"
