"""A field of the form in one row."""

from textual.app import App, ComposeResult

from tui.forms.form_fields import FieldSpec
from tui.widgets.field import Field

SPEC = FieldSpec("model.arguments.x", "dropout of the second block", "0", "≥ 0", "Share of zeros.", "number")


class Row(App[None]):
    def compose(self) -> ComposeResult:
        yield Field(SPEC, "0.5")


async def test_a_label_that_is_cut_stands_apart_from_the_value() -> None:
    app = Row()
    async with app.run_test(size=(80, 3)):
        assert str(app.query_one(Field).render())[2:].startswith("dropout of the se… ")
