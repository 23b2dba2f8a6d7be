"""Training watched in a real terminal: curves move, keys act, and every way out leaves the terminal clean."""

from pathlib import Path

import pytest

from core.runs.folder import Run, all_runs
from core.runs.summary import summarise
from tests.support.fixtures import OpenTerminal

pytestmark = pytest.mark.heavy

BRAILLE = range(0x2801, 0x2900)


def braille(text: str) -> str:
    return "".join(character for character in text if ord(character) in BRAILLE)


def only_run(folder: Path) -> Run:
    (run,) = all_runs(folder / "runs")
    return run


def test_curves_move_keys_act_and_the_shell_is_clean(terminal: OpenTerminal, tmp_path: Path) -> None:
    window = terminal("train", "--epochs", "100000")
    before = window.wait_for(lambda text: len(braille(text)) > 5)
    window.wait_for(lambda text: braille(text) != braille(before))

    window.press(" ")
    window.wait_for("paused")
    window.press(" ")
    window.wait_for("running")
    window.resize(80, 24)
    window.wait_for(lambda text: "running" in text and "epochs" in text)

    window.press("s")
    window.wait_for("Save this run and stop it?")
    window.press("\x1b[D", "\r")
    window.wait_for("stopped")
    window.press("\x11")
    assert window.end() == 0
    assert window.is_clean()
    assert summarise(only_run(tmp_path)).status == "stopped"


def test_a_learning_rate_of_1e30_diverges_and_the_app_lives_on(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    window = terminal("train", "--lr", "1e30", "--data", "wine", "--model", "mlp")
    window.wait_for("diverged")
    window.wait_for("smaller learning rate")
    window.press("l", "+", "z")
    window.press("\x11")
    assert window.end() == 0
    assert window.is_clean()
    assert summarise(only_run(tmp_path)).status == "diverged"


def test_quitting_while_training_asks_and_saves(terminal: OpenTerminal, tmp_path: Path) -> None:
    window = terminal("train", "--epochs", "100000")
    window.wait_for("running")
    window.press("\x11")
    window.wait_for("This app is training a run.")
    window.press("\x1b[D", "\x1b[D", "\r")
    assert window.end() == 0
    assert window.is_clean()
    run = only_run(tmp_path)
    assert summarise(run).status == "stopped"
    assert f"--resume {run.id}" in " ".join(window.text.split())
    assert run.checkpoint_file("last").is_file()


def test_detach_hands_over_and_follows(terminal: OpenTerminal, tmp_path: Path) -> None:
    window = terminal("train", "--epochs", "100000", columns=120, rows=40)
    window.wait_for("running")
    window.press("d")
    window.wait_for(lambda text: "resumed from epoch" in text and "running" in text)
    window.press("q")
    assert window.end() == 0
    assert summarise(only_run(tmp_path)).status == "running"

    watching = terminal("watch")
    watching.wait_for("running")
    watching.press("s")
    watching.wait_for("Save this run and stop it?")
    watching.press("\x1b[D", "\r")
    watching.wait_for("stopped")
    watching.press("q")
    assert watching.end() == 0


BROKEN_APP = """
from tui.app.app import TuiApp

class Broken(TuiApp):
    def action_help(self):
        raise RuntimeError("a defect")

app = Broken()
app.run()
raise SystemExit(app.return_code)
"""


def test_a_defect_of_the_app_itself_is_shown_and_the_app_goes_on(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN_APP)
    window = terminal(script=script)
    window.wait_for("ready")
    window.press("\x1b", "?")
    window.wait_for("a defect")
    window.press("\x1b", "\x11")
    assert window.end() == 0
    assert window.is_clean()
