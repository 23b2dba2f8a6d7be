"""Finding a learning rate and a batch size from the form."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Static

from core.training import batch_finder
from core.training.lr_finder import RangeTest
from core.user_code.trust import trust
from tests.support.narrow import some
from tests.support.waiting import until
from tests.tui.screens.configure.conftest import built
from tui.app.app import TuiApp
from tui.charts.plot import Plot
from tui.screens.configure.finder import BatchFinder, RateFinder
from tui.screens.configure.screen import ConfigureScreen

Finder = RateFinder | BatchFinder
MakeApp = Callable[..., TuiApp]
IRIS: dict[str, Any] = {
    "data": {"name": "iris"},
    "model": {"hidden": [8]},
    "training": {"device": "cpu", "threads": 1},
}


async def opened(
    pilot: Pilot[Any], key: str, values: dict[str, Any] = IRIS
) -> tuple[Finder, ConfigureScreen]:
    """The dialog that a key opens on the form, and the form's screen."""
    form = await built(pilot)
    await pilot.pause()
    form.set_focus(None)
    await pilot.press(key)
    await until(pilot, lambda: pilot.app.screen is not form)
    dialog = pilot.app.screen
    assert isinstance(dialog, RateFinder | BatchFinder)
    return dialog, form


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeApp:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setattr(batch_finder, "TEST_SECONDS", 0.0)

    def make(values: dict[str, Any] = IRIS) -> TuiApp:
        return TuiApp(runs_dir=tmp_path / "runs", data_root=tmp_path / "data", values=values)

    return make


def shown(dialog: Finder) -> str:
    return str(dialog.query_one("#found", Static).render())


@pytest.mark.slow
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_one_key_takes_the_learning_rate_into_the_form(make: MakeApp, size: tuple[int, int]) -> None:
    async with make().run_test(size=size) as pilot:
        dialog, form = await opened(pilot, "ctrl+l")
        await until(pilot, lambda: not dialog.query_one("#take", Button).disabled)
        assert "falls fastest at a learning rate of" in shown(dialog)
        assert "Smith 2017" in shown(dialog)
        chart = dialog.query_one(Plot).chart
        assert chart.marks[0].x == float(dialog.suggestion)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is form)
        await until(pilot, lambda: form.form.fields["optimizer.lr"].text == dialog.suggestion)
        assert some(form.state.config).optimizer.lr == float(dialog.suggestion)


@pytest.mark.slow
async def test_one_key_takes_the_batch_size_into_the_form(make: MakeApp) -> None:
    async with make().run_test(size=(120, 40)) as pilot:
        dialog, form = await opened(pilot, "b")
        await until(pilot, lambda: not dialog.query_one("#take", Button).disabled)
        assert "samples/s" in shown(dialog)
        assert "per epoch" in shown(dialog), "how few steps the proposal leaves"
        await pilot.press("enter")
        await until(pilot, lambda: form.form.fields["training.batch_size"].text == dialog.suggestion)
        assert some(form.state.config).training.batch_size in (8, 16, 32, 64)


@pytest.mark.slow
@pytest.mark.parametrize(("key", "kind"), [("ctrl+l", RateFinder), ("b", BatchFinder)])
async def test_a_search_can_be_left_while_it_goes_on(
    make: MakeApp, monkeypatch: pytest.MonkeyPatch, key: str, kind: type[RateFinder] | type[BatchFinder]
) -> None:
    ended: list[bool] = []

    def find(self: Finder, prepared: object) -> None:
        assert self._stopped.wait(600)
        ended.append(True)

    monkeypatch.setattr(kind, "find", find)
    async with make().run_test(size=(120, 40)) as pilot:
        dialog, form = await opened(pilot, key)
        before = dict(form.form.texts)
        await until(pilot, lambda: dialog.note == "")
        assert dialog.query_one("#take", Button).disabled
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is form)
        await until(pilot, lambda: ended)
        assert dict(form.form.texts) == before


@pytest.mark.slow
async def test_a_loss_that_never_falls_leaves_nothing_to_take(
    make: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = RangeTest([1e-6, 1e-5], [1.0, 1.0], blew_up=False)
    monkeypatch.setattr("core.training.lr_finder.range_test", lambda *parts, on_report, should_stop: never)
    async with make().run_test(size=(120, 40)) as pilot:
        dialog, form = await opened(pilot, "ctrl+l")
        await until(pilot, lambda: "did not fall at any learning rate" in shown(dialog))
        assert dialog.query_one("#take", Button).disabled
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is form)


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"data": "iris", "model": "mlp", "loss": "l1"},
        {"data": "iris", "model": "mlp", "schedule": {"warmup": 99}},
    ],
)
async def test_what_does_not_fit_is_told_in_the_dialog(make: MakeApp, values: dict[str, Any]) -> None:
    async with make(values).run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, "ctrl+l")
        await until(pilot, lambda: shown(dialog).startswith("✗"))
        assert "l1" in shown(dialog) or "warmup" in shown(dialog)
        assert dialog.query_one("#take", Button).disabled


@pytest.mark.slow
@pytest.mark.parametrize("raised", ["ValueError('no')", "SystemExit('enough')"])
async def test_an_error_in_a_network_of_ones_own_is_told_by_its_line(
    make: MakeApp, tmp_path: Path, raised: str
) -> None:
    path = tmp_path / "mynet.py"
    path.write_text(
        "from torch import nn\nclass Net(nn.Linear):\n    def __init__(self):\n        super().__init__(4, 3)\n"
        f"    def forward(self, x):\n        if self.training:\n            raise {raised}\n"
        "        return super().forward(x)\n"
    )
    trust(path)
    values = {**IRIS, "model": {"name": "python", "path": f"{path}:Net"}}
    async with make(values).run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, "ctrl+l", values)
        await until(pilot, lambda: dialog.ended)
        await until(pilot, lambda: "mynet.py, line 7: " in shown(dialog))


@pytest.mark.slow
async def test_a_run_that_this_app_trains_is_not_disturbed(make: MakeApp) -> None:
    app = make()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await built(pilot)
        feed: Any = SimpleNamespace(in_app=True, host=None, poll=lambda: None)
        app.feed = feed
        screen.action_find_rate()
        await pilot.pause()
        assert app.screen is screen
        assert any("A run is training here" in note.message for note in app._notifications)
        app.feed = None
