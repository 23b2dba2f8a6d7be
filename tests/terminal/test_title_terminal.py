"""The title and the bell of a real terminal, headless and in the app."""

from pathlib import Path
from typing import Any

import pytest

from core.interop.writer import RunWriter
from tests.support.fixtures import OpenTerminal
from tests.support.terminal import Terminal

pytestmark = pytest.mark.heavy


def test_headless_names_the_window_and_rings_at_the_end(terminal: OpenTerminal) -> None:
    window = terminal(
        *["train", "--no-ui", "--data", "iris", "--model", "mlp", "--epochs", "3", "--device", "cpu"]
    )
    titles, bells = watched(window)
    assert window.end() == 0
    assert len(bells) == 1
    assert any(title.startswith("3/3 ") and "iris-mlp" in title for title in titles)


def test_the_app_names_the_window_and_gives_it_back(terminal: OpenTerminal, tmp_path: Path) -> None:
    with RunWriter("named", runs_dir=tmp_path / "runs", epochs=3) as run:
        run.epoch({"loss": 1.0})
        window = terminal("watch")
        titles, bells = watched(window)
        window.wait_for(lambda screen: any("running 1/3 named" in title for title in titles))
    window.wait_for(lambda screen: bool(bells))
    assert any("completed 1/3 named" in title for title in titles)
    window.press("q")
    assert window.end() == 0
    assert window.is_clean()


def watched(window: Terminal) -> tuple[list[str], list[bool]]:
    """The titles and bells that come from now on."""
    titles: list[str] = []
    bells: list[bool] = []
    screen: Any = window.screen  # its methods are replaced
    screen.set_title = titles.append
    screen.bell = lambda: bells.append(True)
    window.stream.detach(window.screen)
    window.stream.attach(window.screen)  # it looks the methods of its listener up anew
    return titles, bells
