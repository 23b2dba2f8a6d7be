"""The samples behind the numbers: those of a cell of the confusion matrix, and the mistakes."""

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from textual.widgets import Static

from core.evaluation import most_confident_mistakes, samples_in_cell
from core.inference.samples import Samples
from tests.support.fixtures import LoadData
from tests.support.screen import plain
from tests.tui.conftest import CopyOf, MadeUp, TrainHere, Visit, Visits
from tui.screens.evaluate.cell_dialog import CellDialog
from tui.screens.evaluate.confused import ConfusedPairs
from tui.screens.evaluate.detail import SampleDialog
from tui.screens.evaluate.failures.mistakes import MistakesTab
from tui.screens.evaluate.sample_list import SampleList
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.picture import Picture
from tui.widgets.table import Table
from tui.widgets.tiles import Tiles

pytestmark = pytest.mark.slow

NARROW, WIDE = (80, 24), (200, 60)


# ---- confusion


def expected_behind(at: Visit, true: int, predicted: int) -> list[int]:
    return sorted(samples_in_cell(at.predictions, true, predicted).tolist())


async def test_enter_opens_the_images_behind_a_cell(
    visit: Visits, copy_of: CopyOf, load_data: LoadData
) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        assert "Enter shows the samples of the cell" in at.seen()
        await at.press("m", "enter")
        true, predicted = at.one(ConfusionGrid).cursor
        samples = at.one("#cell", SampleList)
        assert true != predicted
        assert sorted(samples.positions) == expected_behind(at, true, predicted)
        assert f"true {true}, predicted {predicted}" in at.seen()
        place = samples.positions[0]
        source = at.predictions.indices[place]
        split = load_data("digits").validation
        pixels = split.inputs[int(np.flatnonzero(split.indices == source)[0])][0].numpy().astype(float)
        picture = at.one("#cell").query(Picture).first()
        np.testing.assert_array_equal(picture._pixels, np.round(pixels * 255 / 16).astype(np.uint8))
        assert "▀" in at.text(picture)
        assert at.app.focused is at.one(Tiles)


async def test_the_samples_follow_the_cursor_once_they_are_there(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        await at.press("enter")
        assert sorted(at.one("#cell", SampleList).positions) == expected_behind(at, 0, 0)
        await at.press("escape", "m")
        assert at.app.focused is at.one(ConfusionGrid)
        assert sorted(at.one("#cell", SampleList).positions) == expected_behind(
            at, *at.one(ConfusionGrid).cursor
        )


async def test_samples_that_load_late_leave_the_focus_where_it_went(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, read = Event(), Samples.read

    def read_late(samples: Samples, *given: Any) -> None:
        loaded.wait()
        read(samples, *given)

    monkeypatch.setattr(Samples, "read", read_late)
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        at.one(ConfusionGrid).cursor = (0, 0)
        try:
            await at.pilot.press("enter")
            at.one("#pairs").focus()
            await at.pilot.pause()
        finally:
            loaded.set()
        await at.settle()
        assert at.one("#cell").query(Picture)
        assert at.app.focused is at.one("#pairs")


async def test_on_a_narrow_screen_the_samples_lie_over_it(visit: Visits, copy_of: CopyOf) -> None:
    async with visit(NARROW) as at:
        await at.open(copy_of("digits"), "confusion")
        await at.press("m")
        cell = at.one(ConfusionGrid).cursor
        positions = expected_behind(at, *cell)
        await at.press("enter")
        assert isinstance(at.app.screen, CellDialog)
        assert sorted(at.app.screen.query_one(SampleList).positions) == positions
        await at.press("enter")
        assert isinstance(at.app.screen, SampleDialog)
        await at.press("escape", "escape")
        assert at.one(ConfusionGrid).cursor == cell


async def test_tables_show_rows_with_their_features(
    visit: Visits, copy_of: CopyOf, load_data: LoadData
) -> None:
    async with visit(WIDE) as at:
        await at.open(copy_of("cancer"), "confusion")
        await at.press("enter")
        samples = at.one("#cell", SampleList)
        position = samples.positions[0]
        split = load_data("breast_cancer").validation
        row = split.inputs[int(np.flatnonzero(split.indices == at.predictions.indices[position])[0])]
        assert sorted(samples.positions) == expected_behind(at, 0, 0)
        text = at.text(at.one("#cell").query_one(Table))
        assert "benign" in text
        assert f"{float(row[0]):.3f}"[:5] in text
        await at.press("enter")
        assert isinstance(at.app.screen, SampleDialog)
        assert "mean radius" in at.seen()
        await at.press("right", "enter")
        assert at.one("#cell").query_one(Table).cursor == 1


async def test_a_confused_pair_leads_to_its_cell(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        pairs = at.one("#pairs", ConfusedPairs)
        pairs.focus()
        await at.press("down", "enter")
        assert at.one(ConfusionGrid).cursor == (pairs.pairs[1].true, pairs.pairs[1].predicted)


async def test_other_data_than_those_evaluated_are_not_shown(visit: Visits, made_up: MadeUp) -> None:
    async with visit() as at:
        await at.open(made_up(["a", "b", "c"]), "confusion")
        await at.press("enter")
        said = plain(at.one("#cell").query_one(Static))
        assert said.startswith(
            "✗ the validation samples are not those that were evaluated: the data set has changed"
        )


# ---- mistakes


async def test_mistakes_come_in_order_of_confidence(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "mistakes")
        samples = at.one(SampleList)
        assert list(samples.positions) == most_confident_mistakes(at.predictions, 1000).tolist()
        assert f"{len(samples.positions)} mistakes of {at.subject.report.n}" in at.seen()
        await at.press("right")
        second = int(samples.positions[1])
        facts = plain(at.one("#detail-facts", Static))
        assert f"true      {at.predictions.targets[second]}" in facts
        assert f"predicted ✗ {at.predictions.predicted[second]}" in facts
        assert f"{at.predictions.scores[second].max():.3f}" in at.text(at.one("#detail-scores"))
        await at.press("enter", "right", "escape")
        assert at.one(Tiles).cursor == 2


async def test_no_mistakes_are_no_failure(visit: Visits, made_up: MadeUp) -> None:
    async with visit() as at:
        await at.open(made_up(["a", "b"], sharpness=99), "mistakes")
        assert "no mistakes" in at.seen()


async def test_rows_of_a_file_are_shown_as_they_stand_there(
    visit: Visits, train_here: TrainHere, tmp_path: Path
) -> None:
    path = tmp_path / "flowers.csv"
    rows = [f"{at}.50,{['red', 'blue', '?'][at % 3]},{'ab'[at * at % 11 % 2]}" for at in range(80)]
    path.write_text("\n".join(["length,colour,kind", *rows]))
    run = train_here({"data": str(path)})
    async with visit() as at:
        await at.open(run, "mistakes")
        first = at.one(SampleList).positions[0]
        length, colour, _ = rows[at.predictions.indices[first]].split(",")
        seen = at.text(at.one("#detail-features", Table)).split("\n")
        assert [line.split() for line in seen[1:3]] == [["▸length", length], ["colour", colour]]
        listed = at.text(at.one("#mistakes-panel").query_one(Table))
        assert f" {length} " in listed


async def test_o_maps_the_score_of_the_predicted_class_then_of_the_target_then_none(
    visit: Visits, copy_of: CopyOf
) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "mistakes")
        tab, panel = at.screen.active_tab, at.one("#mistake-panel")
        assert isinstance(tab, MistakesTab)
        position = at.one(SampleList).positions[0]
        plain_pixels = at.one("#mistake-panel Picture", Picture)._pixels
        assert plain_pixels is not None
        for covering, source in (
            ("predicted", at.predictions.predicted),
            ("target", at.predictions.targets),
        ):
            await at.press("o")
            assert tab.covering == covering
            assert f"where orange: {source[position]} " in str(panel.border_subtitle)
            mapped = at.one("#mistake-panel Picture", Picture)._pixels
            assert mapped is not None
            assert mapped.shape == (*plain_pixels.shape[:2], 3)
        await at.press("o")
        assert tab.covering == "off"
        assert panel.border_subtitle == "Enter enlarges"
        np.testing.assert_array_equal(at.one("#mistake-panel Picture", Picture)._pixels, plain_pixels)
