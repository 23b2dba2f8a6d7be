"""Dialog for the name, the tags and the note of runs."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from core.errors import InputError
from core.runs.labels import RunLabels, checked_name, checked_tags
from tui.forms.remedies import error_in_app
from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["LabelRuns", "Labelled", "changed_tags"]


@dataclass(frozen=True)
class Labelled:
    """Answers of a dialog: texts of one run, or tags to add to several and to take from them."""

    name: str | None
    tags: tuple[str, ...]
    note: str | None
    removed: tuple[str, ...] = ()


class LabelRuns(Dialog[Labelled]):
    """Three fields for one run; for several the tags alone.

    Args:
        title: what is labelled.
        labels: as they are; None for several runs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, labels: RunLabels | None) -> None:
        super().__init__()
        self.shown_title, self.labels = title, labels

    def compose(self) -> ComposeResult:
        labels = self.labels
        with Vertical(classes="dialog -labels") as body:
            body.border_title = Content(clean(self.shown_title))
            if labels is not None:
                yield Static("name", classes="label")
                yield Input(labels.name, compact=True, id="label-name")
            yield Static(
                "tags" if labels is not None else "tags to add, or -tag to take away", classes="label"
            )
            yield Input(" ".join(labels.tags) if labels else "", compact=True, id="label-tags")
            if labels is not None:
                yield Static("note", classes="label")
                yield Input(" ".join(labels.note.splitlines()), compact=True, id="label-note")
            yield Static("", id="label-problem", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Save", id="label-save", compact=True, variant="primary")
                yield Button("Cancel", id="label-cancel", compact=True)

    @on(Button.Pressed, "#label-cancel")
    def _cancel(self) -> None:
        self.dismiss()

    @on(Input.Submitted)
    @on(Button.Pressed, "#label-save")
    def _save(self) -> None:
        words = self.query_one("#label-tags", Input).value.replace(",", " ").split()
        removed = tuple(word[1:] for word in words if word.startswith("-")) if self.labels is None else ()
        try:
            tags = checked_tags([word for word in words if not (removed and word.startswith("-"))])
            name = checked_name(self.query_one("#label-name", Input).value) if self.labels else None
        except InputError as error:
            self.query_one("#label-problem", Static).update(f"✗ {clean(error_in_app(error))}")
            return
        self.dismiss(Labelled(name, tags, self._note(), removed))

    def _note(self) -> str | None:
        """Return the note; None where it was not changed, which keeps its lines."""
        if self.labels is None:
            return None
        note = self.query_one("#label-note", Input).value
        return None if note == " ".join(self.labels.note.splitlines()) else note


def changed_tags(labels: RunLabels, asked: Labelled) -> list[str]:
    """Return the tags of one of several runs, with those that were asked for and without those to be taken away."""
    return list(dict.fromkeys([*(tag for tag in labels.tags if tag not in asked.removed), *asked.tags]))
