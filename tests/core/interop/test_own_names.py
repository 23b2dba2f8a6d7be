"""A script's metrics under their own names, in their own direction."""

from pathlib import Path
from typing import Any

import pytest

from core import RunWriter
from core.errors import DataError
from core.events import Notice
from core.interop.best_epoch import Best
from core.runs.comparison.curves import best_point, best_title, first_compared, leads
from core.runs.comparison.entries import EntryReader
from core.runs.comparison.groups import grouped
from core.runs.history.history import History
from core.runs.log import all_events
from core.runs.summary import summarise
from tui.charts.live import View, metric_chart, subtitle
from tui.screens.live.epoch_table import EpochTable
from tui.widgets.runs_columns import COLUMNS, monitored

PERPLEXITY = (18.775, 12.0, 8.0, 9.5)


def script(folder: Path, **options: Any) -> RunWriter:
    """A run whose loss is lowest at the last epoch, and its perplexity at the third."""
    with RunWriter("mine", options.pop("config", {}), runs_dir=folder, task="regression", **options) as run:
        for epoch, value in enumerate(PERPLEXITY, start=1):
            run.log({"loss": 1 / epoch, "grad_norm": 3.0, "tokens/s": 1e4})
            run.epoch(validation={"loss": 1 / epoch, "perplexity": value, "bleu": 10.0 * epoch})
    return run


def history_of(run: RunWriter) -> History:
    history = History()
    for event in all_events(run.run.log_file):
        history.apply(event)
    return history


def test_nothing_is_called_r2_that_is_not_r2(tmp_path: Path) -> None:
    history = history_of(script(tmp_path))
    assert history.score == "perplexity"
    assert history.scores == ["perplexity", "bleu", "grad_norm", "tokens/s"]
    table = EpochTable()
    table.show(history, 0)
    assert table._head(120).split() == [
        *("epoch", "loss", "val", "loss", "val", "perplexity", "bleu", "grad", "norm"),
        *("tokens/s", "seconds", "lr"),
    ]
    assert table._row(history.epochs[2], 120).split()[3:7] == ["8.0000", "30.000", "3.0000", "10000"]

    table.others = ["perplexity_of_the_second_head", "perplexity_of_the_third_head"]
    assert not any("…perp" in table._head(width) for width in range(60, 200)), "cut names stand apart"


def test_the_monitored_metric_chooses_the_epoch_that_star_subtitle_and_lists_name(tmp_path: Path) -> None:
    run = script(tmp_path, monitor="perplexity")
    history, summary = history_of(run), summarise(run.run)
    assert (history.best_epoch, history.monitor) == (3, "perplexity")
    assert subtitle(history, "perplexity") == "best 8.0000 at epoch 3"
    assert subtitle(history, "loss") == "0.3333 at epoch 3 (best by perplexity)"
    assert subtitle(history, "grad_norm") == "now 3.0000"
    (star,) = metric_chart(history, "bleu", View()).marks
    assert (star.x, star.y) == (3, 30.0)
    assert (summary.best_epoch, summary.chosen_by) == (3, "best by perplexity")
    assert monitored(summary) == ("perplexity", 8.0)
    assert COLUMNS["monitored"].show(summary, 0.0) == "perplexity 8.0000"
    (group,) = grouped([EntryReader(run.run).read()])
    best = best_point(group, "validation bleu")
    assert best is not None
    assert (best.epoch, best.value) == (3, 30.0)
    assert best_title([group], "validation bleu") == "bleu at best"
    assert best_title([group], "validation perplexity") == "best perplexity"


def test_without_its_metric_the_latest_epoch_counts_and_that_is_said_once(tmp_path: Path) -> None:
    with RunWriter("mine", runs_dir=tmp_path) as run:
        for value in (0.5, 0.25):
            run.epoch(validation={"quality": value})
    history = history_of(run)
    assert (history.best_epoch, history.monitor) == (2, "")
    assert subtitle(history, "quality") == "0.2500 at epoch 2 (the latest)"
    (said,) = [event.message for event in history.messages if isinstance(event, Notice)]
    assert said.startswith("no loss is reported, so the latest epoch counts as the best; there is quality: ")
    assert monitored(summarise(run.run)) == ("quality", 0.25)


def test_scripts_are_compared_in_the_direction_of_each_metric(tmp_path: Path) -> None:
    names = {"perplexity": True, "bleu": True, "grad_norm": False}
    groups = grouped([EntryReader(script(tmp_path, config={"a": at}).run).read() for at in (1, 2)])
    assert first_compared([group.first for group in groups]) == "validation loss"
    for name, is_ranked in names.items():
        split = "train" if name == "grad_norm" else "validation"
        assert len(leads(groups, f"{split} {name}")) == (2 if is_ranked else 0), "ties share the star"
    given = grouped([EntryReader(script(tmp_path, higher_is_better={"bleu": False}).run).read()])
    assert [lead.value for lead in leads(given, "validation bleu")] == [40.0], (
        "at the epoch of the lowest loss"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"monitor": "quality"}, "less or more quality may be the better one. Give mode='min' or mode='max'"),
        ({"mode": "best"}, "got 'best'. It takes 'min' or 'max'"),
    ],
)
def test_a_direction_that_is_not_known_is_asked_for(tmp_path: Path, options: Any, said: str) -> None:
    with pytest.raises(DataError) as error:
        RunWriter("mine", runs_dir=tmp_path, **options)
    assert said in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("lower", "values", "epochs"),
    [
        (True, [3.0, 2.0, None, 2.0, 1.0], [1, 2, 2, 2, 5]),
        (False, [float("nan"), 2.0, 1.0, 4.0], [0, 2, 2, 4]),
        (True, [None, None, float("inf"), 5.0], [1, 2, 2, 4]),
    ],
)
def test_the_best_epoch_so_far(lower: bool, values: list[float | None], epochs: list[int]) -> None:
    best, found = Best("q", lower), []
    for epoch, value in enumerate(values, start=1):
        best.judge(epoch, {} if value is None else {"q": value})
        found.append(best.epoch)
    assert found == epochs
