"""The Data view of Configure, and the path of a file in the form."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.data.tables.options import Csv
from tests.support.fixtures import LoadData
from tests.support.narrow import instance, some
from tests.support.screen import screen_text
from tests.tui.screens.configure.conftest import LARGE, SMALL, Make, settled
from tui.forms import preview_drawings as draw
from tui.forms.data_overview import ColumnFacts, data_facts
from tui.screens.configure.data_dialog import DataDialog
from tui.widgets.path_suggester import complete_path
from tui.widgets.picture import Picture
from tui.widgets.table import Table
from tui.widgets.tiles import Tiles


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A file with numbers, texts, missing values and two classes."""
    path = tmp_path / "flowers.csv"
    rows = [f"{at}.50,{['red', 'blue', '?'][at % 3]},{'ab'[at % 2]}" for at in range(80)]
    path.write_text("\n".join(["length,[b]colour,kind", *rows]))
    return path


@pytest.mark.slow
async def test_d_shows_rows_ranges_missing_values_and_classes(make: Make, flowers: Path) -> None:
    app = make({"data": str(flowers)})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert instance(Csv, some(screen.state.config).data).path == str(flowers)
        await pilot.press("escape", "d")
        await pilot.pause()
        instance(DataDialog, app.screen)
        text = screen_text(app)
        assert "57 train   7 validation   16 test" in text
        assert "target: kind (the last column), 2 classes" in text
        rows = {line.split()[1]: line for line in text.split("\n") if len(line.split()) > 4}
        assert "0.5 … 79.5" in text
        assert "2 different, mostly" in text
        assert "26  32 %" in text
        assert rows
        first = app.screen.query_one("#rows", Table)
        label, length, colour = first._cells(0)
        train = int(float(str(length)))
        assert (label, colour) == ("ab"[train % 2], ["red", "blue", "?"][train % 3])
        assert app.focused is first
        await pilot.press("tab", "d")
        assert app.screen is screen


@pytest.mark.slow
async def test_images_are_shown_with_their_classes(make: Make) -> None:
    app = make({"data": "digits"})
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot)
        await pilot.press("escape", "d")
        for _ in range(3):
            await pilot.pause()
        facts = instance(DataDialog, app.screen).facts
        assert facts.spreads == (ColumnFacts("grey", "pixels", facts.spreads[0].values),)
        assert facts.spreads[0].values.startswith("0 … 16, mean 4.8")
        assert app.screen.query_one(Tiles).count == 60
        picture = app.screen.query(Picture).first()
        np.testing.assert_array_equal(picture._pixels, facts.more[0][0])
        text = screen_text(app)
        assert "1,293 train   144 validation   360 test" in text
        assert "▸" + facts.more[1][0] in text
        await pilot.press("escape")
        assert not isinstance(app.screen, DataDialog)


@pytest.mark.slow
async def test_the_data_view_fits_a_small_screen(make: Make, flowers: Path) -> None:
    app = make({"data": str(flowers)})
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot)
        await pilot.press("escape", "d")
        await pilot.pause()
        assert "target: kind" in screen_text(app)
        assert "columns" in screen_text(app)
        await pilot.press("tab")
        await pilot.pause()
        assert app.screen.query_one("#columns", Table).has_focus


@pytest.mark.slow
async def test_a_file_is_checked_and_completed_while_its_path_is_typed(make: Make, flowers: Path) -> None:
    app = make({"data": "csv"})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        assert "no file is given" in screen.state.problems["data.path"]
        assert [*screen.form.fields][:4] == ["data.name", "data.path", "data.target", "data.task"]
        editor = screen.form.fields["data.path"].editor
        editor.focus()
        editor.value = f"{flowers.parent}/flowers"
        await settled(pilot)
        assert "is not there. Did you mean" in screen.state.problems["data.path"]
        await pilot.press("right")
        await settled(pilot)
        assert editor.value == str(flowers)
        assert screen.state.ready
        target = screen.form.fields["data.target"].editor
        target.value = "kinds"
        await settled(pilot)
        assert "has no column 'kinds'. Did you mean 'kind'?" in screen.state.problems["data.target"]


def test_paths_are_completed_by_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("data.txt", "data.CSV", "date.csv", "data/x.parquet"):
        (tmp_path / name).touch()
    assert complete_path("da", (".csv",)) == "data.CSV"
    assert complete_path("date", (".csv",)) == "date.csv"
    assert complete_path("date.csv", (".csv",)) is None
    assert complete_path("da", (".tsv",)) == "data/"
    assert complete_path("data/", (".csv",)) is None
    assert complete_path("data/x", (".parquet",)) == "data/x.parquet"
    assert complete_path("no/such", (".csv",)) is None
    assert complete_path("", (".csv",)) is None


@pytest.mark.slow
@pytest.mark.parametrize("width", [12, 30, 43, 60, 120])
@pytest.mark.parametrize("name", ["digits", "diabetes", "csv"])
def test_shares_of_the_splits_fit_and_add_up(name: str, width: int, load_data: LoadData) -> None:
    facts = data_facts(load_data(name))
    drawn = draw.shares(facts, width).plain.split("\n")
    if width >= 30:
        assert all(len(line) <= width for line in drawn)
    for split, size in facts.sizes.items():
        assert sum(facts.counts[split]) == size
    assert facts.counts["train"] == tuple(n for _, n in facts.balance)


def test_titles_of_the_splits_are_whole_where_the_space_between_them_gives_room(load_data: LoadData) -> None:
    facts = data_facts(load_data("breast_cancer"))
    assert draw.shares(facts, 41).plain.split("\n")[0].split() == ["train", "validation", "test"]


def test_a_class_of_one_sample_is_some_of_them_and_the_other_not_all(load_data: LoadData) -> None:
    facts = data_facts(load_data("breast_cancer"))
    facts = replace(facts, sizes={"train": 10_000}, counts={"train": (1, 9_999)})
    assert [line.split()[2] for line in draw.shares(facts, 80).plain.split("\n")[1:]] == ["<1", "99"]
