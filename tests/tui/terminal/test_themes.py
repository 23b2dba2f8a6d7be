"""The colours one chose are there from the first paint on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.css.stylesheet import Stylesheet

from tui.app.app import TuiApp

AppWith = Callable[[str], TuiApp]


@pytest.fixture
def app_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppWith:
    """Makes an app that remembers a theme."""

    def app_with(theme: str) -> TuiApp:
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"theme": theme}))
        monkeypatch.setenv("TUI_CONFIG", str(settings))
        return TuiApp(runs_dir=tmp_path / "runs")

    return app_with


@pytest.mark.parametrize(
    ("remembered", "shown", "mode"),
    [
        ("torchtui", "torchtui", "dark"),
        ("torchtui-light", "torchtui-light", "light"),
        ("textual-light", "textual-light", "light"),
        ("of another version", "torchtui", "dark"),
    ],
)
async def test_the_remembered_theme_is_there_and_the_styles_are_read_once(
    app_with: AppWith, monkeypatch: pytest.MonkeyPatch, remembered: str, shown: str, mode: str
) -> None:
    read_again = []
    monkeypatch.setattr(Stylesheet, "reparse", lambda sheet: read_again.append(sheet))
    monkeypatch.setattr(TuiApp, "_load", lambda app: None)  # the first paint alone
    app = app_with(remembered)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.theme == shown
        assert app.classes & {"-dark-mode", "-light-mode"} == {f"-{mode}-mode"}
        assert {name for name in app.classes if name.startswith("-theme-")} == {f"-theme-{shown}"}
        background = app.theme_variables["background"]
        assert app.screen.styles.background.hex.lower() == background.lower()
    assert read_again == []


@pytest.mark.slow
async def test_a_theme_chosen_later_is_shown_and_remembered(app_with: AppWith) -> None:
    app = app_with("torchtui")
    async with app.run_test() as pilot:
        app.theme = "torchtui-light"
        await pilot.pause()
        assert app.has_class("-light-mode")
        assert app.settings.theme == "torchtui-light"


async def test_who_leaves_before_the_first_screen_is_there_never_opens_it(
    app_with: AppWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TuiApp, "_load", lambda app: None)
    app = app_with("torchtui")
    async with app.run_test():
        shown = dict(app._screen_stacks)
    app._open("runs")
    assert app._screen_stacks.keys() == shown.keys()


async def test_what_a_half_made_screen_misses_when_one_leaves_is_not_told(app_with: AppWith) -> None:
    app = app_with("torchtui")
    async with app.run_test():
        pass
    app._handle_exception(NoMatches("a widget that went away"))
    assert app.return_code is None
    try:
        raise ValueError("a defect")
    except ValueError as error:
        app._handle_exception(error)
    assert [app.return_code] == [1]


async def test_what_a_screen_misses_before_one_leaves_is_a_defect(app_with: AppWith) -> None:
    app = app_with("torchtui")

    async def miss() -> None:
        async with app.run_test() as pilot:
            app.call_later(lambda: app.query_one("#nowhere"))
            await pilot.pause()

    with pytest.raises(NoMatches):
        await miss()
