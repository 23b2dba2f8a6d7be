"""The user's own networks in the app: fields for their arguments, reloading, errors, consent."""

from pathlib import Path
from typing import Any

import pytest

from core.config.schema import from_dict
from core.runs.code import trust_config
from core.runs.folder import Run
from core.user_code.loading import program_of
from core.user_code.trust import is_trusted, trust
from tests.support.fixtures import TrainRun
from tests.support.narrow import some
from tests.support.screen import question
from tests.support.waiting import until
from tests.tui.screens.configure.conftest import LARGE, Make, form_screen, put, row, settled
from tui.forms.preview import Previewer
from tui.screens.configure import form_actions
from tui.screens.configure.screen import ConfigureScreen
from tui.screens.dialogs import Ask

NET = """
from typing import Literal
from torch import nn

class Net(nn.Sequential):
    def __init__(self, in_features, num_classes, width: int = 8, kind: Literal["a", "b"] = "a", bias=True):
        super().__init__(nn.Flatten(), nn.Linear(in_features, width), nn.Linear(width, num_classes, bias=bias))
"""


@pytest.fixture
def mynet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(form_actions, "CODE_SECONDS", 0.2)
    path = tmp_path / "mynet.py"
    path.write_text(NET)
    return path


def wrong(screen: ConfigureScreen) -> str:
    return str(screen.state.problems.get("model.path", ""))


def parameters(screen: ConfigureScreen) -> int:
    return some(some(screen.state.preview).model).parameters


def labels(screen: ConfigureScreen) -> list[str]:
    paths = screen.form.fields
    return [path.removeprefix("model.") for path in paths if path.startswith("model.")]


@pytest.mark.slow
async def test_arguments_become_fields_and_a_changed_file_is_reloaded(make: Make, mynet: Path) -> None:
    app = make({"data": "iris", "model": {"name": "python"}})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert "✗ no file is given" in row(screen, "model.path")
        screen.form.fields["model.path"].editor.value = f"{mynet}:Net"
        await until(pilot, lambda: "model.arguments.bias" in screen.form.fields)
        await settled(pilot)
        arguments = [label for label in labels(screen) if label.startswith("arguments.")]
        assert arguments == ["arguments.width", "arguments.kind", "arguments.bias"]
        assert parameters(screen) == 5 * 8 + 9 * 3
        await put(pilot, "model.arguments.width", *"4")
        await put(pilot, "model.arguments.bias", "space")
        await settled(pilot)
        assert dict(some(screen.state.config).model)["arguments"] == {"width": 4, "bias": False}
        assert parameters(screen) == 5 * 4 + 4 * 3
        await put(pilot, "model.arguments.width", *"four")
        assert "✗ takes a whole number" in row(screen, "model.arguments.width")
        assert not bool(screen.state.ready)
        screen.form.fields["model.arguments.width"].editor.value = "4"

        mynet.write_text(NET.replace("        super", "        oops\n        super"))
        await until(pilot, lambda: "mynet.py, line 7: NameError" in wrong(screen))
        assert not bool(screen.state.ready)
        mynet.write_text("class Net(:")
        await until(pilot, lambda: "mynet.py, line 1: SyntaxError" in wrong(screen))
        mynet.write_text(NET.replace("bias=True", "depth=1").replace(", bias=bias", ""))
        await until(pilot, lambda: "model.arguments.depth" in screen.form.fields)
        await until(pilot, lambda: bool(screen.state.ready))
        await settled(pilot)
        assert parameters(screen) == 5 * 4 + 5 * 3
        assert dict(some(screen.state.config).model)["arguments"] == {"width": 4}


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["run", "no"])
async def test_a_file_that_the_user_has_not_named_is_asked_for(make: Make, mynet: Path, answer: str) -> None:
    app = make({"data": "iris", "model": f"{mynet}:Net"})
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Ask) and app.screen.query("#answer-no:focus"))
        assert str(mynet) in question(app)
        await pilot.click(f"#answer-{answer}")
        await until(pilot, lambda: app.screen is form_screen(app))
        screen = await settled(pilot)
        assert "model.arguments.width" in screen.form.fields  # read, not run
        assert screen.state.ready == (answer == "run")
        assert is_trusted(program_of(f"{mynet}:Net")) == (answer == "run")
        if answer == "no":
            assert "neither named nor run before" in wrong(screen)


@pytest.mark.slow
async def test_to_go_on_with_a_run_of_somebody_is_asked_for(
    make: Make,
    mynet: Path,
    train_run: TrainRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    values = {"data": "iris", "model": f"{mynet}:Net", "training": {"epochs": 1}}
    from core.config import schema as configuration

    trust_config(configuration.from_dict(values))
    trained = train_run(values).run
    run = Run(trained.path.rename(mynet.parent / trained.id))
    copy = run.code_folder / "model" / "mynet.py"
    copy.write_text(copy.read_text() + "# of somebody\n")
    monkeypatch.setattr("core.user_code.trust._named", set())
    monkeypatch.setattr("core.user_code.trust._agreed", set())
    started: list[Run | None] = []
    monkeypatch.setattr("tui.app.starting.here", lambda app, config, run=None: started.append(run))
    app = make({"data": "iris"})
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot)
        for answer, expected in (("no", []), ("run", [run])):
            app.resume_run(run)
            await until(pilot, lambda: isinstance(app.screen, Ask) and app.screen.query("#answer-no:focus"))
            assert str(copy) in question(app)
            await pilot.click(f"#answer-{answer}")
            await until(pilot, lambda: not isinstance(app.screen, Ask))
            assert started == expected


EVIL = "from pathlib import Path\nPath(__file__).with_name('was_run').touch()\n"


async def asked(pilot: Any) -> None:
    await until(
        pilot, lambda: isinstance(pilot.app.screen, Ask) and pilot.app.screen.query("#answer-no:focus")
    )


async def answer(pilot: Any, how: str) -> None:
    await pilot.click(f"#answer-{how}")
    await until(pilot, lambda: not isinstance(pilot.app.screen, Ask))


@pytest.mark.slow
async def test_a_preset_is_asked_for_and_touching_its_text_names_nothing(make: Any, mynet: Path) -> None:
    """Typing and deleting one letter is not consent."""
    mynet.write_text(EVIL + NET)
    app = make({"data": "iris"})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        for _ in range(2):  # refused once, it is asked for again when it is opened again
            await screen._fill({"data": "iris", "model": f"{mynet}:Net"})
            await asked(pilot)
            await answer(pilot, "no")
        screen = await settled(pilot)
        assert "neither named nor run before" in wrong(screen)
        editor = screen.form.fields["model.path"].editor
        editor.focus()
        await pilot.press("end", "x")
        await until(pilot, lambda: isinstance(app.screen, Ask) or str(editor.value).endswith("x"))
        await pilot.press("backspace")
        await settled(pilot)
        assert not mynet.with_name("was_run").exists()
        assert not is_trusted(program_of(f"{mynet}:Net"))


@pytest.mark.slow
async def test_what_was_agreed_to_and_has_changed_is_asked_for_again(make: Any, mynet: Path) -> None:
    app = make({"data": "iris", "model": f"{mynet}:Net"})
    async with app.run_test(size=LARGE) as pilot:
        await asked(pilot)
        await answer(pilot, "run")
        screen = await settled(pilot)
        assert screen.state.ready
        mynet.write_text(EVIL + NET)
        await asked(pilot)
        assert not mynet.with_name("was_run").exists()
        await answer(pilot, "no")
        await settled(pilot)
        assert not mynet.with_name("was_run").exists()
        assert not screen.state.ready


@pytest.mark.slow
async def test_pre_flight_shows_beside_the_form_as_the_network_is_typed(make: Make, mynet: Path) -> None:
    app = make({"data": "iris", "model": {"name": "python", "path": f"{mynet}:Net"}})
    trust(mynet)
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        found = some(screen.state.preview).findings
        assert {finding.level for finding in found} == {"ok"}
        panel = screen.query_one("#preflight-panel")
        assert panel.display
        assert panel.border_subtitle == "all is well"
        assert "✓ training step on 64 samples" in str(screen.query_one("#findings").render())

        mynet.write_text(NET + "        self.more = [nn.Linear(2, 2)]\n")
        await until(pilot, lambda: panel.border_subtitle == "cannot train yet")
        await settled(pilot)
        told = str(screen.query_one("#findings").render())
        assert "✗ all layers are registered" in told
        assert "nn.ModuleList" in told
        mynet.write_text(NET)
        await until(pilot, lambda: panel.border_subtitle == "all is well")


def test_nothing_is_tried_beside_a_run_that_trains_here(mynet: Path) -> None:
    trust(mynet)
    previewer = Previewer(None)
    preview = previewer.compute(from_dict({"data": "iris", "model": f"{mynet}:Net"}))
    assert previewer.tried(preview, lambda: True).findings
    assert not previewer.tried(preview, lambda: False).findings
    shipped = previewer.compute(from_dict({"data": "iris"}))
    assert not previewer.tried(shipped, lambda: True).findings
