"""The whole form: one panel per section, one row per field."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input

from core.user_code.loading import files_named
from core.user_code.trust import trust
from tui.forms.form import choose, refit, typed
from tui.forms.form_fields import SECTIONS, FieldSpec, Texts, fields_in, fields_of
from tui.forms.guide.basic import is_shown
from tui.widgets.field import Field
from tui.widgets.panel import Panel

__all__ = ["STOPS", "FormView", "Section"]

STOPS = ".editor, Button"
"""Widgets that the arrow keys and Enter move between."""


class Section(Panel):
    """The fields of one section."""

    def __init__(self, section: str, fields: list[Field]) -> None:
        super().__init__(*fields, id=f"section-{section}")
        self.section = section

    def show_fields(self, *, everything: bool) -> None:
        """Show all fields, or the basic ones and those that were changed."""
        fields = list(self.query_children(Field))
        for field in fields:
            field.display = everything or is_shown(field.spec, field.text)
        hidden = sum(not field.display for field in fields)
        self.display = hidden < len(fields)
        self.border_title = f"{self.section.capitalize()}{f'  {hidden} more' if hidden else ''}"


class FormView(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All fields of a configuration.

    Args:
        texts: their content, as returned by `tui.forms.form.fill`.
        extra: fields at the end of the training section that are not part of the configuration, with their texts.
        last: a section of fields that are not part of the configuration, at the end.
        everything: show all fields; otherwise the basic ones and those that were changed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next field", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    class Changed(Message):
        """The text of a field has changed."""

    def __init__(
        self, texts: Texts, extra: Mapping[FieldSpec, str], last: Section, *, everything: bool, id: str
    ) -> None:
        super().__init__(id=id)
        self.last = last
        self.texts = dict(texts)
        self.extra = {spec.path: Field(spec, text) for spec, text in extra.items()}
        self.fields: dict[str, Field] = {}
        self.everything = everything
        self._given: set[Path] = set()

    def compose(self) -> ComposeResult:
        for section in SECTIONS:
            fields = self._make(section)
            yield Section(section, [*fields, *(self.extra.values() if section == "training" else ())])
        yield self.last

    def on_mount(self) -> None:
        self.show_fields(self.everything)

    def show_fields(self, everything: bool) -> None:
        """Show all fields, or the basic ones and those that were changed."""
        self.everything = everything
        for section in self.query(Section):
            section.show_fields(everything=everything)

    def all_fields(self) -> list[Field]:
        """Return all fields, also those that are not part of the configuration."""
        beside = (field for field in self.last.query_children(Field) if field.display)
        return [*self.fields.values(), *self.extra.values(), *beside]

    def reveal(self, path: str) -> None:
        """Move the focus to a field, also one that is hidden."""
        field = next(field for field in self.all_fields() if field.spec.path == path)
        self._show_field(field)
        field.editor.focus()

    def _show_field(self, field: Field) -> None:
        field.display = True
        if isinstance(field.parent, Section):
            field.parent.display = True

    def turn_section(self, by: int) -> None:
        """Move the focus to the first field of the next or previous section."""
        around = self.screen.focused.ancestors_with_self if self.screen.focused else []
        shown = [section for section in self.query(Section) if section.display]
        places = [place for place, section in enumerate(shown) if section in around]
        place = (places[0] + by) % len(shown) if places else 0
        next(field for field in shown[place].query_children(Field) if field.display).editor.focus()

    def keep_given(self) -> None:
        """Note which files a preset or an earlier session has named: touching these texts does not name them."""
        specs = [field.spec for field in self.fields.values() if field.spec.code]
        named = [files_named(self.texts[spec.path], many=spec.many) for spec in specs]
        self._given = set().union(*named)

    async def fill(self, texts: Texts) -> None:
        """Replace the texts of the fields."""
        async with self.batch():
            before, self.texts = self.texts, dict(texts)
            for section in SECTIONS:
                name = f"{section}.name"
                if before.get(name) != texts.get(name):
                    await self._rebuild(section)
                else:
                    await self._fit_arguments(section)
            for path, text in texts.items():
                self.fields[path].text = text
            self.show_fields(self.everything)
        self.post_message(self.Changed())

    async def put(self, path: str, text: str) -> None:
        """Put a text into one field, as if it had been typed."""
        section, _, key = path.partition(".")
        await self.fill(choose(self.texts, section, text) if key == "name" else typed(self.texts, path, text))

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Show the error of each invalid field; clear the errors of all others."""
        for path, field in self.fields.items():
            field.set_problem(problems.get(path, ""))
            if field.problem and not field.display:
                self._show_field(field)

    def _make(self, section: str) -> list[Field]:
        """Fresh fields of a section."""
        specs = fields_in(section, self.texts)
        made = {spec.path: Field(spec, self.texts[spec.path]) for spec in specs}
        self.fields |= made
        return list(made.values())

    async def _rebuild(self, section: str) -> None:
        """Show the fields of another choice. The field that chooses is kept, and so is its focus."""
        chooser = self.fields[f"{section}.name"]
        old = [path for path in self.fields if path.startswith(f"{section}.")]
        gone = [self.fields.pop(path) for path in old]
        _, *fresh = self._make(section)
        self.fields[chooser.spec.path] = chooser
        chooser.describe(fields_of(section, self.texts[chooser.spec.path])[0])
        panel = self.query_one(f"#section-{section}")
        await panel.remove_children([field for field in gone if field is not chooser])
        await panel.mount_all(fresh, after=chooser)

    async def _fit_arguments(self, section: str) -> None:
        """Show the arguments of the code that is now named; keep all other fields."""
        specs = {spec.path: spec for spec in fields_in(section, self.texts)}
        gone = [path for path, field in self.fields.items() if specs.get(path, field.spec) != field.spec]
        gone += [path for path in self.fields if path.startswith(f"{section}.") and path not in specs]
        if not gone and specs.keys() <= self.fields.keys():
            return
        removed = [self.fields.pop(path) for path in gone]
        fresh = [Field(spec, self.texts[path]) for path, spec in specs.items() if path not in self.fields]
        *_, last = (field for path, field in self.fields.items() if path in specs)
        self.fields |= {field.spec.path: field for field in fresh}
        panel = self.query_one(f"#section-{section}")
        await panel.remove_children(removed)
        await panel.mount_all(fresh, after=last)

    @on(Field.Changed)
    async def _edited(self, event: Field.Changed) -> None:
        path = event.field.spec.path
        if self.fields.get(path) is not event.field:
            return
        event.stop()
        section, _, key = path.partition(".")
        if key == "name":
            await self.fill(choose(self.texts, section, event.text))
            return
        before, self.texts = self.texts, typed(self.texts, path, event.text)
        for other, text in self.texts.items():
            if other != path and text != before[other]:
                self.fields[other].text = text
        if event.field.spec.code:
            for file in files_named(event.text, many=event.field.spec.many) - self._given:
                trust(file)
            await self.fill(refit(self.texts))
        else:
            self.post_message(self.Changed())

    @on(Input.Submitted)
    def action_next(self) -> None:
        """Move to the next field."""
        self.screen.focus_next(STOPS)
