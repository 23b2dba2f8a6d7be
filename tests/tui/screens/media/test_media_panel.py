"""The panel of images, texts and histograms: names, steps, what is followed, and what is damaged."""

from pathlib import Path

import numpy as np
import pytest
from textual.app import App, ComposeResult

from core.events import MediaLogged
from core.runs.folder import Run
from core.runs.media.kinds import Histogram, Image, Text
from core.runs.media.store import MediaStore
from core.runs.media.stored import MediaIndex
from tests.support.screen import rendered, screen_text
from tests.support.waiting import until
from tui.screens.media.panel import MediaPanel
from tui.screens.media.reading import MAX_CHARACTERS, Histograms, read_item
from tui.screens.media.slider import StepSlider


class Kept:
    """A run with media, and their index."""

    def __init__(self, folder: Path) -> None:
        self.run, self.index = Run(folder), MediaIndex()
        self._store = MediaStore(self.run, self.index.apply, 1000)

    def keep(self, name: str, item: object, step: int) -> MediaLogged:
        self._store.keep(name, item, step=step, epoch=0, done=step)
        return self.index.items[name][-1]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    kept = Kept(tmp_path)
    for step in (1, 2, 3):
        kept.keep("told", Text(f"at {step}\n\x1b[31mred"), step)
        kept.keep("samples", Image(np.full((4, 6), 40 * step, np.uint8), f"caption {step}"), step)
    return kept


class OnePanel(App[None]):
    CSS = "#media-panel { height: 1fr; } #media-names { width: 17; } #media-caption { height: 1; }"

    def compose(self) -> ComposeResult:
        yield MediaPanel(id="media-panel")


async def test_names_and_steps(kept: Kept) -> None:
    app = OnePanel()
    async with app.run_test(size=(80, 24)) as pilot:
        panel, slider = app.query_one(MediaPanel), app.query_one(StepSlider)
        panel.show(kept.run, kept.index)
        panel.view.focus()
        await until(pilot, lambda: "at 3" in screen_text(app) and "␛[31mred" in screen_text(app))
        await pilot.press("left")
        await until(pilot, lambda: "at 2" in screen_text(app))
        assert rendered(slider).startswith("step 2")
        assert rendered(slider).endswith("2 of 3")
        kept.keep("told", Text("at 4"), 4)
        panel.show(kept.run, kept.index)
        await until(pilot, lambda: "2 of 4" in screen_text(app))  # a step that was chosen stays
        await pilot.press("end")
        await until(pilot, lambda: "at 4" in screen_text(app))
        kept.keep("told", Text("at 5"), 5)
        panel.show(kept.run, kept.index)
        await until(pilot, lambda: "at 5" in screen_text(app))  # the last one is followed
        await pilot.press("down")
        await until(pilot, lambda: "caption 3" in screen_text(app) and "▀" in screen_text(app))
        await pilot.click(StepSlider, offset=(rendered(slider).index("━"), 0))
        await until(pilot, lambda: "caption 1" in screen_text(app))
        (kept.run.media_folder / kept.index.items["samples"][1].file).write_bytes(b"damaged")
        await pilot.press("right")
        await until(pilot, lambda: "cannot be read" in screen_text(app))
        panel.show(Run(kept.run.path / "other"), MediaIndex())
        await until(pilot, lambda: "nothing was logged yet" in screen_text(app))


def test_what_is_read_of_each_kind(kept: Kept) -> None:
    large = kept.keep("large", Image(np.zeros((300, 400), np.uint8)), 1)
    pixels = read_item(kept.run, [large], 0, (100, 60))
    assert isinstance(pixels, np.ndarray)
    assert pixels.shape == (60, 80)
    long = kept.keep("long", Text("x" * (MAX_CHARACTERS + 10)), 1)
    assert str(read_item(kept.run, [long], 0, (1, 1))).endswith("… 10 more characters are in its file")


def test_histograms_over_the_steps(kept: Kept) -> None:
    events = [kept.keep("weights", Histogram([0, number]), number) for number in range(200)]
    (kept.run.media_folder / events[0].file).write_text("damaged")
    shown = read_item(kept.run, events, 150, (1, 1))
    assert isinstance(shown, Histograms)
    assert 100 < len(shown.over_steps) < 140
    assert shown.over_steps[shown.place][0] == 150
    assert shown.over_steps[-1][0] == 199


async def test_another_picture_of_one_name_lays_out_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OnePanel()
    async with app.run_test(size=(80, 24)) as pilot:
        panel = app.query_one(MediaPanel)
        panel.show(kept.run, kept.index)
        panel.view.highlighted = 1
        await until(pilot, lambda: "caption 3" in screen_text(app) and "▀" in screen_text(app))
        await pilot.pause()
        await until(pilot, lambda: not app.screen._layout_required)  # what the first one has asked for
        laid_out: list[object] = []
        monkeypatch.setattr(app.screen, "_refresh_layout", lambda **given: laid_out.append(given))
        kept.keep("samples", Image(np.full((4, 6), 200, np.uint8), "caption 3"), 4)
        panel.show(kept.run, kept.index)
        await until(pilot, lambda: "step 4" in screen_text(app))
        await pilot.pause()
        assert not laid_out
