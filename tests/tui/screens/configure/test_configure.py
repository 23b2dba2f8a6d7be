"""Configure, as people use it."""

import threading
from pathlib import Path

import pytest
import yaml
from textual.widgets import Button, Input

from core.config.schema import TrainConfig, from_dict
from core.devices import Device
from tests.support.narrow import instance, some
from tests.support.screen import rendered
from tests.support.waiting import until
from tests.tui.screens.configure.conftest import (
    LARGE,
    SMALL,
    Make,
    built,
    put,
    row,
    settled,
    shown,
)
from tui.forms.preview import Preview, Previewer
from tui.runtime.hosts.here import Here
from tui.screens.configure.presets import OpenPreset, SavePreset
from tui.screens.dialogs import Ask
from tui.widgets.choice import Choice, ChoiceList
from tui.widgets.field import Field

pytestmark = pytest.mark.slow


async def test_the_form_opens_with_a_preview_of_what_it_says(make: Make) -> None:
    async with make().run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert rendered(screen.query_one("#facts")).startswith("1,293 train   144 validation")
        assert "Linear" in rendered(screen.query_one("#layers"))
        assert shown(screen, "#command") == "tui train --no-ui"
        assert shown(screen, "#state") == "✓ ready: 21 steps per epoch, 420 in total"
        assert "21 steps per epoch" in row(screen, "training.batch_size")
        assert screen.focused is screen.form.fields["data.name"].editor


async def test_a_wrong_value_is_told_beside_its_field_and_keeps_the_run_from_starting(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await put(pilot, "optimizer.lr", *"0..01")
        assert "✗ takes a number" in row(screen, "optimizer.lr")
        assert shown(screen, "#state") == "✗ Can't start: optimizer.lr: got '0..01', takes a number"
        assert shown(screen, "#about") == "✗ got '0..01', takes a number · was 0.01, ctrl+g puts it back"
        assert screen.query_one("#start", Button).disabled
        await pilot.press("ctrl+r")
        assert app.started is None
        assert app.form_values["optimizer"]["lr"] == "0..01"

        await pilot.press("ctrl+u", *"0.5")
        await settled(pilot)
        assert "✗" not in row(screen, "optimizer.lr")
        assert shown(screen, "#command") == "tui train --no-ui --lr 0.5"
        await pilot.press("ctrl+r")
        assert app.started == (from_dict({"optimizer": {"lr": 0.5}}), Here())


async def test_another_optimizer_shows_its_own_fields(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await put(pilot, "optimizer.weight_decay", *"0.1")
        await put(pilot, "optimizer.name", *["right"] * 5)
        assert some(screen.state.config).optimizer.name == "adam"
        assert "optimizer.momentum" not in screen.form.fields
        assert screen.focused is screen.form.fields["optimizer.name"].editor
        await put(pilot, "optimizer.beta1", *"0.5")
        assert screen.state.config == from_dict(
            {"optimizer": {"name": "adam", "weight_decay": 0.1, "beta1": 0.5}}
        )


async def test_the_list_of_a_choice_opens_finds_by_letter_and_closes(make: Make) -> None:
    async with make().run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await pilot.press("enter", "d", "enter")
        await settled(pilot)
        assert some(screen.state.config).data.name == "diabetes"
        await pilot.press("enter", "q", "1", "escape")
        await pilot.pause()
        assert some(screen.state.config).data.name == "diabetes"
        assert not screen.query(ChoiceList)
        assert screen.focused is screen.form.fields["data.name"].editor


async def test_what_does_not_fit_together_is_mended_with_one_key(make: Make) -> None:
    app = make({"data": "diabetes", "model": "cnn", "loss": "hinge"})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert "✗ the hinge loss" in row(screen, "loss.name")
        assert "✗ cnn takes" in row(screen, "model.name")
        assert str(screen.query_one("#fix", Button).label) == "f  use mse"
        await pilot.press("ctrl+r")
        assert app.started is None
        await pilot.press("f")
        await settled(pilot)
        await pilot.click("#fix")
        await settled(pilot)
        assert not screen.query_one("#fix").display
        await pilot.press("ctrl+r")
        assert app.started == (from_dict({"data": "diabetes", "loss": "mse"}), Here())


async def test_data_to_be_downloaded_is_left_where_it_is(make: Make, tmp_path: Path) -> None:
    async with make({"data": "mnist"}).run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert shown(screen, "#state") == "✓ not downloaded yet; Start downloads it"
        assert not screen.query_one("#start", Button).disabled
        assert not (tmp_path / "data").exists()


async def test_the_command_is_copied_by_key_and_by_mouse(make: Make) -> None:
    app = make({"data": "wine", "model": {"name": "mlp", "hidden": [4, 4]}})
    command = "tui train --no-ui --data wine --model mlp --set 'model.hidden=[4,4]'"
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot)
        await pilot.press("y")
        assert app.clipboard == command
        app.copy_to_clipboard("")
        await pilot.click("#command-panel")
        assert app.clipboard == command


async def test_the_command_names_the_folder_of_the_runs_where_a_shell_would_take_another(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make({"data": "wine"})
    monkeypatch.setenv("TUI_RUNS", str(tmp_path / "others"))
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        command = f"tui train --no-ui --data wine --runs {app.runs_dir}"
        assert "--runs" in shown(screen, "#command")
        await pilot.press("y")
        assert app.clipboard == command


async def test_a_preset_is_saved_overwritten_and_opened(make: Make, tmp_path: Path) -> None:
    app = make({"data": "wine", "model": "mlp"})
    path = tmp_path / "config" / "presets" / "mine.yaml"
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await pilot.press("ctrl+s", *"mine", "enter")
        await pilot.pause()
        assert from_dict(yaml.safe_load(path.read_text())) == from_dict({"data": "wine", "model": "mlp"})

        await put(pilot, "training.epochs", *"7")
        await pilot.press("ctrl+s", *"mine", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Ask)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, SavePreset)
        assert "epochs: 20" in path.read_text()
        await pilot.press("enter", "left", "enter")
        await pilot.pause()
        assert "epochs: 7" in path.read_text()

        await put(pilot, "training.epochs", *"9")
        await pilot.press("ctrl+o", "enter")
        await settled(pilot)
        assert screen.state.config == from_dict({"data": "wine", "model": "mlp", "training": {"epochs": 7}})


async def test_a_preset_that_cannot_be_read_says_why_and_changes_nothing(make: Make, tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("data: [")
    (tmp_path / "list.yaml").write_text("- 1")
    told = {"torn": "is not YAML at line 1", "list": "has no sections", "missing": "cannot read"}
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await settled(pilot)
        await pilot.press("ctrl+o")
        await pilot.pause()
        for name, problem in told.items():
            app.screen.query_one(Input).value = str(tmp_path / name)
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, OpenPreset)
            assert problem in shown(app.screen, "#problem")
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is screen
        assert screen.state.config == TrainConfig()


async def test_a_preset_cannot_be_saved_where_nothing_can_be_written(make: Make, tmp_path: Path) -> None:
    app = make()
    told = {
        "../x/y": "give a name without a folder",
        f"{tmp_path}/x": "without a folder",
        "x" * 300: "cannot write",
    }
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot)
        for name, words in told.items():
            await pilot.press("ctrl+s")
            await pilot.pause()
            app.screen.query_one(Input).value = name
            await pilot.press("enter")
            await pilot.pause()
            problem = shown(app.screen, "#problem")
            assert words in problem
            assert "--runs" not in problem
            await pilot.press("escape")


async def test_values_of_another_version_are_left_out_and_told(make: Make) -> None:
    app = make({"optimizer": {"name": "newton"}, "training": {"epochs": "many", "fast": True}})
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        screen = await settled(pilot)
        (told,) = app._notifications
        assert "optimizer.name = newton, training.fast" in told.message
        assert screen.state.values["optimizer"]["name"] == "momentum"
        assert "✗ takes a whole number" in row(screen, "training.epochs")


async def test_the_form_takes_over_values_given_elsewhere(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        app.form_values = {"data": {"name": "iris"}, "optimizer": {"name": "adam", "lr": 0.3}}
        await pilot.press("6")
        await pilot.press("2")
        await settled(pilot)
        assert screen.state.config == from_dict(app.form_values)
        assert screen.form.fields["optimizer.lr"].editor.value == "0.3"


async def test_defaults_come_back_after_a_question(make: Make) -> None:
    app = make({"data": "wine", "optimizer": {"lr": "x"}})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        screen.form.fields["optimizer.lr"].editor.focus()
        await pilot.press("ctrl+d", "enter")
        await settled(pilot)
        assert screen.state.config is None
        await pilot.press("ctrl+d", "left", "enter")
        await settled(pilot)
        assert screen.state.config == TrainConfig()


@pytest.mark.heavy
async def test_the_arrow_keys_and_enter_walk_through_all_fields(make: Make) -> None:
    async with make().run_test(size=SMALL) as pilot:
        screen = await settled(pilot)
        await pilot.press("escape", "a", "/", *"dataset", "enter")
        fields = [field for field in screen.form.query(Field) if field.display]
        assert {*fields} == {*screen.form.all_fields()}
        for at, field in enumerate(fields):
            assert screen.focused is field.editor
            assert field.render().plain.startswith("▸ ")
            assert screen.form.region.contains_region(field.region)
            await pilot.press("down" if at % 2 or not isinstance(field.editor, Input) else "enter")
        assert screen.focused is screen.query_one("#start")
        await pilot.press("up")
        assert screen.focused is fields[-1].editor


async def test_the_mouse_alone_chooses_and_starts(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await pilot.click(screen.form.fields["data.name"].editor)
        await pilot.pause()
        assert screen.query(ChoiceList)
        await pilot.click(ChoiceList, offset=(3, 2))
        await settled(pilot)
        assert some(screen.state.config).data.name == "iris"
        screen.form.fields["training.epochs"].scroll_visible(animate=False)
        await settled(pilot)
        await pilot.click(screen.form.fields["training.epochs"], offset=(3, 0))
        assert screen.focused is screen.form.fields["training.epochs"].editor
        await pilot.click("#start")
        assert app.started == (from_dict({"data": "iris"}), Here())


async def test_a_small_screen_shows_form_or_preview(make: Make) -> None:
    async with make().run_test(size=SMALL) as pilot:
        screen = await settled(pilot)
        form, preview = screen.form, screen.query_one("PreviewView")
        assert (form.display, preview.display) == (True, False)
        await pilot.press("p")
        assert (form.display, preview.display) == (False, True)
        assert screen.focused is preview
        await pilot.press("p")
        assert form.display
        await pilot.resize_terminal(*LARGE)
        await pilot.pause()
        assert (form.display, preview.display) == (True, True)


async def test_a_wide_screen_gives_the_form_more_room(make: Make) -> None:
    async with make().run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        normal = screen.form.size.width
        await pilot.resize_terminal(300, 80)
        await until(pilot, lambda: screen.form.size.width > 1.4 * normal)
        preview = screen.query_one("PreviewView")
        assert screen.form.region.width + preview.region.width >= 290
        columns = [column.region for column in preview.query_one("#preview-columns").children]
        assert len(columns) > 1
        assert len({column.y for column in columns}) == 1, "beside each other"


async def test_devices_are_listed_with_their_memory(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Device("cuda:0", "[b]H100", 80 << 30), Device("cpu", "2 cores", 8 << 30)]
    monkeypatch.setattr("core.devices.discover", lambda: found)
    async with make({"training": {"device": "cuda:7"}}).run_test(size=(200, 60)) as pilot:
        screen = await settled(pilot)
        field = screen.form.fields["training.device"]
        assert instance(Choice, field.editor).labels == {
            "auto": "auto",
            "cuda:0": "cuda:0  [b]H100  80 GiB",
            "cpu": "cpu  2 cores  8 GiB",
            "cuda:7": "cuda:7",
        }
        assert "✗ cuda:7 is not available here" in row(screen, "training.device")
        field.editor.focus()
        await pilot.press("right")
        await settled(pilot)
        assert "→ cuda:0  [b]H100  80 GiB" in row(screen, "training.device")


async def test_only_the_newest_form_is_previewed_and_one_at_a_time(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    seen: list[int] = []
    alone = threading.Lock()

    def compute(self: Previewer, config: TrainConfig) -> Preview:
        assert alone.acquire(blocking=False)
        seen.append(config.training.epochs)
        go_on.wait(600)
        alone.release()
        return Preview(config, note=f"{config.training.epochs} epochs")

    monkeypatch.setattr(Previewer, "compute", compute)
    async with make().run_test(size=LARGE) as pilot:
        screen = await built(pilot)
        await until(pilot, lambda: seen == [20])
        screen.form.fields["training.epochs"].editor.focus()
        await pilot.press(*"345")
        await until(pilot, lambda: some(screen.state.config).training.epochs == 345)
        assert not screen.query_one("#start", Button).disabled
        go_on.set()
        await settled(pilot)
        assert seen == [20, 345]
        assert shown(screen, "#preview-note") == "345 epochs"


async def test_a_defect_in_the_preview_leaves_the_form_usable(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(self: Previewer, config: TrainConfig) -> None:
        raise KeyError("[b]")

    monkeypatch.setattr(Previewer, "compute", compute)
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert shown(screen, "#preview-note") == "no preview: KeyError: '[b]'"
        await pilot.press("ctrl+r")
        assert app.started == (TrainConfig(), Here())
