"""A network with its own training step, trained in the app and handed over to a background process."""

from pathlib import Path

import pytest

from core.runs.folder import all_runs
from core.runs.summary import summarise
from tests.support.fixtures import OpenTerminal
from tests.support.repository import REPOSITORY

pytestmark = pytest.mark.heavy


def test_it_continues_in_the_background_and_stops_from_another_app(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    example = REPOSITORY / "examples" / "own_vae.py"
    (tmp_path / "own_vae.py").write_text(example.read_text())
    options = ["--data", "digits", "--set", "data.scaling=unit", "--epochs", "100000", "--device", "cpu"]
    window = terminal("train", "--model", "own_vae.py:Vae", *options, columns=120, rows=40)
    window.wait_for(lambda text: "running" in text and "reconstruction loss" in text)
    window.press("d")
    window.wait_for(lambda text: "resumed from epoch" in text and "running" in text)
    window.press("q")
    assert window.end() == 0
    assert window.is_clean()

    (run,) = all_runs(tmp_path / "runs")
    watching = terminal("watch", columns=120, rows=40)
    watching.wait_for("running")
    watching.press("s")
    watching.wait_for("Save this run and stop it?")
    watching.press("\x1b[D", "\r")
    watching.wait_for("■ stopped")
    watching.press("q")
    assert watching.end() == 0
    assert summarise(run).status == "stopped"
    assert summarise(run).metrics.keys() >= {"loss", "kl", "reconstruction_loss"}
    assert not run.console_file.exists() or "rror" not in run.console_file.read_text()
