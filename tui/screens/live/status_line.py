"""One line with the status of a run: name, state, epoch, progress, time left, speed; a long note takes a second one."""

from textwrap import wrap

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from core.runs.history.history import History
from tui.terminal.text import duration, fit, of, si, waiting
from tui.terminal.themes import STATES
from tui.widgets.parts import WidgetOfParts

__all__ = ["StatusLine"]


class StatusLine(WidgetOfParts):
    """Drops the least important parts when there is little room; never epoch, progress and time left."""

    PARTS = "status"
    COMPONENT_CLASSES = {"status--name", "status--text", "status--done", "status--left"}
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.name_text, self.state, self.note = "", "", ""
        self.history: History | None = None
        self.seconds_left: float | None = None

    def show(self, name: str, state: str, history: History, seconds_left: float | None, note: str) -> None:
        """Show a run.

        Args:
            note: current step of preparation, before the first event.
            seconds_left: None when unknown.
        """
        self.name_text, self.state, self.history, self.note = name, state, history, note
        self.seconds_left = seconds_left
        self._fit_height()
        self.refresh()

    def on_resize(self) -> None:
        self._fit_height()

    def _fit_height(self) -> None:
        """Take a second line where the note needs it, as that of a job that waits does in a small window."""
        self.styles.height = max(1, len(self._note_lines()))

    @property
    def _beginning(self) -> list[str]:
        """Name and state."""
        sign, _ = STATES.get(self.state, ("?", ""))
        return [fit(self.name_text, min(30, len(self.name_text))), f"{sign} {self.state}"]

    def _note_lines(self) -> list[str]:
        """Return the note in two lines at most, the first of them beside name and state."""
        used = 1 + sum(len(text) + 2 for text in self._beginning)
        if self.size.width < used + 20:
            return [self.note]
        lines = wrap(
            self.note,
            self.size.width - 1,
            initial_indent=" " * used,
            subsequent_indent=" ",
            max_lines=2,
            placeholder=" …",
        )
        return [line[used:] if place == 0 else line for place, line in enumerate(lines)]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        text, lines = self.part_style("text"), self._note_lines()
        if self.history is None or y > 0:
            more = lines[y] if self.history is not None and y < len(lines) else ""
            return Strip([Segment(more, text)]).adjust_cell_length(width, text)
        _, color = STATES.get(self.state, ("?", ""))
        name, state = self._beginning
        parts = [(name, self.part_style("name")), (state, text + Style(color=color or None))]
        started = self.history.started
        if self.note or started is None:
            parts.append((lines[0] if lines else "", text))
            return self._joined(parts, width)
        steps = self.history.total_steps
        done = min(1.0, self.history.step / steps) if steps else 0.0
        parts.append((f"epoch {of(self.history.epoch, started.epochs)}", text + Style(bold=True)))
        ending = [(f"{min(100, 100 * self.history.step // steps)} %", text)] if steps else []
        if steps and self.state in ("running", "paused"):
            ending.append((f"{duration(self.seconds_left)} left", text + Style(bold=True)))
        rate = self.history.last_step.samples_per_second if self.history.last_step else None
        if rate and width >= 100:
            ending.append((f"{si(rate)} samples/s", text))
        if self.state == "running" and width >= 120 and (note := waiting(self.history.waiting)):
            ending.append((note, text))
        if not steps:
            return self._joined([*parts, *ending], width)
        return self._with_bar(parts, ending, done, width)

    def _with_bar(
        self, parts: list[tuple[str, Style]], ending: list[tuple[str, Style]], done: float, width: int
    ) -> Strip:
        """Give the bar the room between the parts; drop the name if there is none."""
        used = sum(len(text) + 2 for text, _ in (*parts, *ending)) + 2
        bar = width - used
        if bar < 8:
            parts = parts[1:]
            bar = width - sum(len(text) + 2 for text, _ in (*parts, *ending)) - 2
        if bar < 4:
            return self._joined([*parts, *ending], width)
        full = round(done * bar)
        pieces = _spaced(parts)
        pieces += [
            Segment("━" * full, self.part_style("done")),
            Segment("━" * (bar - full), self.part_style("left")),
        ]
        blank = self.part_style("text")
        return Strip(
            [Segment(" ", blank), *pieces, Segment("  ", blank), *_spaced(ending)]
        ).adjust_cell_length(width, blank)

    def _joined(self, parts: list[tuple[str, Style]], width: int) -> Strip:
        blank = self.part_style("text")
        return Strip([Segment(" ", blank), *_spaced(parts)]).adjust_cell_length(width, blank)


def _spaced(parts: list[tuple[str, Style]]) -> list[Segment]:
    return [
        segment
        for text, style in parts
        for segment in (Segment(text, style), Segment("  ", Style(bgcolor=style.bgcolor)))
    ]
