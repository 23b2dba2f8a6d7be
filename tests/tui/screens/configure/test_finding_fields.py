"""The form of basic fields, all fields, finding one, and what one is."""

import pytest
from textual.widgets import OptionList

from tests.support.waiting import until
from tests.tui.screens.configure.conftest import LARGE, Make, settled
from tui.screens.dialogs import HelpDialog
from tui.screens.explain_dialog import ExplainDialog
from tui.screens.search_dialog import SearchDialog
from tui.widgets.field import Field


@pytest.mark.slow
async def test_fields_are_few_at_first_and_each_is_found_explained_and_put_back(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)

        def displayed() -> set[str]:
            return {field.spec.path for field in screen.query(Field) if field.display}

        assert "training.epochs" in displayed()
        assert "training.ema" not in displayed()
        assert not screen.query_one("#section-checkpoints").display

        await pilot.press("escape", "/", *"emax")
        await until(pilot, lambda: isinstance(app.screen, SearchDialog) and not app.screen.found)
        assert "nothing has these words" in str(
            app.screen.query_one(OptionList).get_option_at_index(0).prompt
        )
        await pilot.press("enter", "backspace")
        await until(pilot, lambda: isinstance(app.screen, SearchDialog) and 0 < len(app.screen.found) < 10)
        await pilot.press("enter")
        field = screen.form.fields["training.ema"]
        await until(pilot, lambda: screen.focused is field.editor)
        assert "training.ema" in displayed()

        await pilot.press("3")  # not the key of a screen while a field has the focus, and not unnoticed
        await until(pilot, lambda: field.before == "0")
        about = screen.query_one("#about")
        await until(pilot, lambda: "ctrl+g puts it back" in str(about.render()))
        assert app.current_mode == "configure"
        await pilot.press("ctrl+g")
        await until(pilot, lambda: field.text == "0")
        assert field.before is None
        await pilot.press("escape")  # the line speaks of the field with the focus alone
        await until(pilot, lambda: not str(about.render()))
        field.editor.focus()
        await until(pilot, lambda: "average" in str(about.render()))

        await pilot.press("?")
        await until(pilot, lambda: isinstance(app.screen, ExplainDialog))
        await pilot.press("?")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)

        await pilot.press("escape", "a")
        await until(pilot, lambda: screen.query_one("#section-checkpoints").display)
        assert displayed() == {field.spec.path for field in screen.form.all_fields()}
        assert app.settings.all_fields
        await pilot.press("]")
        await until(pilot, lambda: screen.focused is screen.form.fields["data.name"].editor)
        await pilot.press("ctrl+down")
        await until(pilot, lambda: screen.focused is screen.form.fields["model.name"].editor)
        await pilot.press("ctrl+up", "enter", *"csv", "enter")
        await until(pilot, lambda: screen.form.texts["data.name"] == "csv")
