"""Run in: the host, its settings and profiles, in the form."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList

from core.config.schema import TrainConfig
from core.errors import RunError
from tests.support.narrow import instance
from tests.support.screen import lines, rendered
from tests.support.waiting import until
from tests.tui.screens.configure.conftest import LARGE, Make, Recorder, built, settled, shown
from tui.runtime.hosts import registry
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import Bounds, Host
from tui.runtime.hosts.processes import Processes
from tui.runtime.hosts.profiles import load_profile, profile_names, save_profile
from tui.screens.configure.save_dialog import SaveText
from tui.screens.run_in.profiles_dialog import ProfilesDialog
from tui.screens.run_in.section import RunIn
from tui.widgets.choice import Choice, ChoiceList

pytestmark = pytest.mark.slow


async def choose(pilot: Pilot[None], label: str) -> RunIn:
    """Choose a host in the form."""
    screen = await built(pilot)
    screen.run_in.chooser.editor.focus()
    editor = instance(Choice, screen.run_in.chooser.editor)
    while editor.labels[editor.value] != label:
        await pilot.press("right")
        await pilot.pause()
    return screen.run_in


async def test_a_host_shows_its_own_fields_and_the_command_and_is_remembered(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        panel = await choose(pilot, "several processes")
        await until(pilot, lambda: "run_in.gpus" in panel.fields)
        assert screen.focused is panel.chooser.editor
        panel.fields["run_in.gpus"].editor.focus()
        await pilot.press(*"0,2")
        await pilot.pause()
        assert shown(screen, "#command") == "tui train --no-ui --run-in processes --gpus 0,2"
        await pilot.press("ctrl+r")
        assert app.started == (TrainConfig(), Processes(gpus=(0, 2)))
        assert (app.settings.run_in, app.settings.hosts["processes"]) == ("processes", {"gpus": [0, 2]})

        await choose(pilot, "background process")
        await choose(pilot, "several processes")
        assert panel.host == Processes(gpus=(0, 2))


async def test_a_wrong_setting_of_a_host_keeps_the_run_from_starting(make: Make) -> None:
    app = make()
    app.settings.run_in = "processes"
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        screen.run_in.fields["run_in.gpus"].editor.focus()
        await pilot.press(*"0,x")
        await pilot.pause()
        assert "✗" in rendered(screen.run_in.fields["run_in.gpus"])
        assert shown(screen, "#state").startswith("✗ Can't start: run_in.gpus: got 'x', takes a whole number")
        await pilot.press("ctrl+r")
        assert app.started is None
        assert screen.query_one("#start", Button).disabled


async def test_a_profile_is_saved_and_used_again(make: Make) -> None:
    save_profile("nightly", Background())
    app = make()
    app.settings.run_in, app.settings.hosts = "processes", {"processes": {"processes": 4}}
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        screen.run_in.chooser.editor.focus()
        await pilot.press("ctrl+s")
        dialog = await opened(pilot)
        dialog.query_one(Input).value = "four"
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ProfilesDialog))
        assert load_profile("four") == Processes(processes=4)
        assert screen.run_in.profile.text == "four"

        screen.run_in.profile.editor.focus()
        await pilot.press("right")
        await until(pilot, lambda: screen.run_in.host == Background())
        assert screen.run_in.profile.text == "nightly"
        await pilot.press("left")
        await until(pilot, lambda: screen.run_in.host == Processes(processes=4))
        await pilot.press("ctrl+r")
        assert app.started == (TrainConfig(), Processes(processes=4))


async def test_profiles_are_renamed_and_deleted_in_the_dialog(make: Make) -> None:
    make()
    for name in ("one", "two"):
        save_profile(name, Background())
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        screen.run_in.chooser.editor.focus()
        await pilot.press("ctrl+s")
        dialog = await opened(pilot)
        dialog.query_one(OptionList).highlighted = 0
        dialog.query_one(Input).value = "three"
        dialog.query_one("#rename", Button).press()
        await pilot.pause()
        assert profile_names() == ["three", "two"]
        dialog.query_one(OptionList).highlighted = 1
        dialog.query_one("#delete", Button).press()
        await pilot.pause()
        assert profile_names() == ["three", "two"]
        assert "Delete again" in shown(dialog, "#problem")
        dialog.query_one("#delete", Button).press()
        await pilot.pause()
        assert profile_names() == ["three"]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert [*instance(Choice, screen.run_in.profile.editor).labels] == ["–", "three"]


async def opened(pilot: Pilot[None]) -> ProfilesDialog:
    await until(pilot, lambda: isinstance(pilot.app.screen, ProfilesDialog))
    return instance(ProfilesDialog, pilot.app.screen)


class Cluster(Host):
    """A host with a script."""

    TITLE: ClassVar = "a cluster"
    name: Literal["cluster"] = "cluster"
    nodes: int = 1
    """Machines."""

    partition: str = ""
    """Part of the cluster."""
    asked: ClassVar[list[tuple[str, Callable[[], bool]]]] = []

    def limits(self) -> Mapping[str, Bounds]:
        parts = {"cpu": "default, no GPUs", "gpu": "4 GPUs a node"}
        return {"nodes": Bounds("1 … 16"), "partition": Bounds("cpu, gpu", parts)}

    def forecast(self, should_stop: Callable[[], bool]) -> str:
        self.asked.append((self.partition, should_stop))
        if self.partition == "nowhere":
            raise RunError("there is no such partition")
        return f"14 jobs ahead in {self.partition or 'cpu'}, estimated start 15:20"

    def script(self, train: Sequence[str]) -> str:
        return f"#!/bin/bash\n#SBATCH --nodes={self.nodes}\n{' '.join(train)}\n"


class Gone(Host):
    """A host that is not there."""

    TITLE: ClassVar = "gone"
    name: Literal["gone"] = "gone"

    @classmethod
    def unavailable(cls) -> str:
        return "there is no sbatch"


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOSTS", {"here": Here, "cluster": Cluster, "gone": Gone})
    monkeypatch.setattr("tui.screens.run_in.section.HOSTS", registry.HOSTS)


@pytest.mark.usefixtures("hosts")
async def test_the_script_of_a_job_is_shown_copied_and_saved(make: Make, tmp_path: Path) -> None:
    app = make({"data": "iris"})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await choose(pilot, "a cluster")
        await until(pilot, lambda: screen.query_one("#script-panel").display)
        await until(pilot, lambda: "1 … 16" in rendered(screen.run_in.fields["run_in.nodes"]))
        script = "#!/bin/bash\n#SBATCH --nodes=1\ntui train --no-ui --data iris"
        assert shown(screen, "#script") == script
        assert shown(screen, "#command") == "tui train --no-ui --run-in cluster --data iris"
        await pilot.press("escape", "y")
        assert app.clipboard == script + "\n"
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, SaveText))
        app.screen.query_one(Input).value = str(tmp_path / "job.sh")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert (tmp_path / "job.sh").read_text() == script + "\n"

        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, SaveText))
        await pilot.press("up", "right")
        await until(pilot, lambda: app.screen.query_one(Input).value == "train.sh")
        app.screen.query_one(Input).value = str(tmp_path / "train.sh")
        await pilot.pause()
        app.screen.query_one("#save", Button).press()
        await until(pilot, lambda: app.screen is screen)
        assert (tmp_path / "train.sh").read_text() == f"#!/bin/sh\n{shown(screen, '#command')}\n"


@pytest.mark.usefixtures("hosts")
async def test_what_a_job_would_meet_is_shown_before_it_is_submitted(make: Make) -> None:
    Cluster.asked.clear()
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await choose(pilot, "a cluster")
        await until(pilot, lambda: "14 jobs ahead in cpu" in shown(screen, "#script-forecast"))
        assert "estimated start 15:20" in shown(screen, ".forecast")
        await until(
            pilot, lambda: shown(screen, "#state").endswith("; 14 jobs ahead in cpu, estimated start 15:20")
        )
        screen.run_in.fields["run_in.partition"].editor.focus()
        await pilot.press(*"nowhere")
        await until(pilot, lambda: shown(screen, "#script-forecast") == "✗ there is no such partition")
        assert "there is no such partition" in shown(screen, ".forecast")
        await until(pilot, lambda: shown(screen, "#state").startswith("▲ there is no such partition"))
        screen.run_in.chooser.editor.focus()
        await choose(pilot, "this app")
        await until(pilot, lambda: not screen.query_one(".forecast").display)
        assert shown(screen, "#state").startswith("✓ ready"), "that was of the host before"
        assert (Cluster.asked[0][0], Cluster.asked[-1][0]) == ("", "nowhere")
        assert all(should_stop() for _, should_stop in Cluster.asked), "nobody waits for the answer any more"


@pytest.mark.usefixtures("hosts")
async def test_partitions_are_suggested_and_any_other_can_be_typed(make: Make) -> None:
    app = make()
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await choose(pilot, "a cluster")
        field = screen.run_in.fields["run_in.partition"]
        await until(pilot, lambda: "▼" in rendered(field))
        field.editor.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(screen.focused, ChoiceList))
        listed = [str(option.prompt) for option in instance(ChoiceList, screen.focused).options]
        assert listed == ["cpu  default, no GPUs", "gpu  4 GPUs a node"]
        await pilot.press("down", "enter")
        await until(pilot, lambda: screen.run_in.host == Cluster(partition="gpu"))
        assert screen.focused is field.editor
        await pilot.press("ctrl+g")
        await until(pilot, lambda: screen.run_in.host == Cluster())

        await pilot.press("c")
        await until(pilot, lambda: "cpu" in lines(field.editor)[0])
        await pilot.press("right", "2")
        await until(pilot, lambda: screen.run_in.host == Cluster(partition="cpu2"))
        await pilot.press("enter")
        assert screen.focused is not field.editor, "what was typed is taken as it is"

        await pilot.click(field, offset=(39, 0))
        await until(pilot, lambda: isinstance(screen.focused, ChoiceList))
        await pilot.press("escape")
        await until(pilot, lambda: screen.focused is field.editor)
        assert screen.run_in.host == Cluster(partition="cpu2")


@pytest.mark.usefixtures("hosts")
async def test_a_host_that_is_not_there_is_not_offered_and_a_remembered_one_is_told(make: Make) -> None:
    app: Recorder = make()
    app.settings.run_in = "gone"
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        screen = await settled(pilot)
        assert [*instance(Choice, screen.run_in.chooser.editor).labels] == ["here", "cluster"]
        assert screen.run_in.host == Here()
        assert "Run in this app: there is no sbatch" in [told.message for told in app._notifications]
