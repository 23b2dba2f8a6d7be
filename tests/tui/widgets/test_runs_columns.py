"""For any log of a run, a row, the facts and the charts can be made of it."""

import json
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from core.config.schema import from_dict, to_dict
from core.runs.folder import Run
from core.runs.history.outline import Outline
from core.runs.labels import RunLabels
from core.runs.summary import RunSummary, summarise
from tui.charts.plot import draw
from tui.screens.runs.run_preview import facts, sketch
from tui.screens.runs.screen import _unranked
from tui.terminal.run_names import short_name
from tui.terminal.text import UNKNOWN, age
from tui.widgets.run_list import RunList
from tui.widgets.runs_columns import COLUMNS, columns_of, lay_out

Place = tuple[str | int, ...]
METRICS = {"loss": 0.5, "accuracy": 0.9}
LOG: list[dict[str, Any]] = [
    {
        "event": "run_started",
        "time": 1.77e9,
        "config": to_dict(from_dict({})),
        "task": "multiclass",
        "samples": {"train": 10},
        "classes": ["a", "b"],
        "sample_shape": [4],
        "parameters": 5,
        "device": "cpu",
        "threads": 1,
        "epochs": 2,
        "steps_per_epoch": 1,
    },
    {
        "event": "epoch_finished",
        "time": 1.77e9,
        "epoch": 1,
        "step": 1,
        "train": METRICS,
        "validation": METRICS,
        "lr": 0.1,
        "seconds": 1.0,
        "best_epoch": 1,
        "best_metrics": METRICS,
    },
    {"event": "evaluation_finished", "time": 1.77e9, "split": "test", "metrics": METRICS},
    {"event": "run_finished", "time": 1.77e9, "status": "completed"},
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """The paths of all values inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


PLACES = [*places(LOG)]


def replaced(value: Any, path: Sequence[str | int], new: Any) -> Any:
    """A copy of nested values with another one at a place."""
    if not path:
        return new
    key, *rest = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = replaced(value[key], rest, new)
    return copy


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.sampled_from(PLACES), VALUES)
@example((0, "time"), 1e300)
@example((0, "config", "optimizer", "name"), ["adam"])
@example((0, "config", "optimizer", "lr"), 10**400)
def test_any_value_in_a_log_can_be_shown_and_sorted(tmp_path: Path, place: Place, value: Any) -> None:
    run = Run(tmp_path)
    run.log_file.write_text("".join(json.dumps(event) + "\n" for event in replaced(LOG, place, value)))
    summary = summarise(run)
    other = RunSummary(Run(Path("2026-01-01_0900_iris-mlp_abc")), "damaged")
    runs = RunList()
    runs.apply({"this": summary, "other": other})
    for name, column in COLUMNS.items():
        assert isinstance(column.show(summary, 1.8e9), str)
        for falling in (False, True):
            runs.sort(name, falling)
            assert len(runs.rows()) == 2
    outline = Outline(run)
    while outline.read():
        pass
    sketched = sketch(outline, summary.status)
    for chart in (sketched.loss, sketched.score):
        assert len(draw(chart, 40, 12)) == 12
    Console(file=StringIO(), width=40).print(facts(summary, sketched))


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (20, "status run"),
        (60, "status run data model epochs"),
        (75, "status run data model epochs accuracy age"),
        (85, "status run data model epochs accuracy loss age"),
        (130, "status run data model epochs accuracy loss optimizer lr batch age"),
    ],
)
def test_what_matters_most_gets_its_place_first(width: int, names: str) -> None:
    chosen = lay_out(
        width, {"status": 13, "run": 10, "data": 13, "model": 3}, {"monitored", "test", "tool", "agent"}
    )
    assert " ".join(column.name for column, _ in chosen) == names
    assert sum(cells + 2 for _, cells in chosen) - 2 <= width


def test_the_column_of_test_is_there_once_somebody_has_opened_a_test_split() -> None:
    assert "test" not in [column.name for column, _ in lay_out(200, {}, {"monitored", "test"})]
    assert "test" in [column.name for column, _ in lay_out(200, {}, {"monitored"})]
    evaluation: dict[str, dict[str, float | None]] = {
        "validation": {"accuracy": 0.9},
        "test": {"accuracy": 0.8},
    }
    shown = [
        COLUMNS["test"].show(
            RunSummary(Run(Path("r")), "completed", evaluation=evaluation, test_opened=opened), 0.0
        )
        for opened in (False, True)
    ]
    assert shown == ["–", "0.8000"]


@pytest.mark.parametrize(
    ("done", "asked", "shown"),
    [(7, 20, "7/20"), (789, 100_000, "789/100k"), (12_345, 100_000, "12.3k"), (12_345, 0, "12345")],
)
def test_epochs_are_shown_whole_or_rounded_but_never_cut(done: int, asked: int, shown: str) -> None:
    column = COLUMNS["epochs"]
    summary = RunSummary(run=Run(Path("r")), status="stopped", epoch=done, epochs=asked)
    assert column.show(summary, 0.0) == shown
    assert len(shown) <= column.width


def test_columns_that_grow_take_what_their_texts_need() -> None:
    widths = {"run": 30, "data": 22, "model": 3}
    found = {column.name: cells for column, cells in lay_out(200, widths, {"monitored", "test"})}
    assert (found["run"], found["data"], found["model"]) == (30, 22, 6)
    usual = lay_out(80, widths, {"monitored", "test", "agent"})
    tight = {column.name: cells for column, cells in usual}
    assert 12 <= tight["run"] < 30
    assert sum(tight.values()) + 2 * len(tight) - 2 <= 80


ID = "2026-01-01_0900_fashion_mnist-mlp_abc"


@pytest.mark.parametrize(
    ("folder", "name", "width", "shown"),
    [
        (ID, "", 40, "fashion_mnist-mlp_abc"),
        (ID, "", 21, "fashion_mnist-mlp_abc"),
        (ID, "", 20, "fashion_mnist-m… abc"),
        (ID, "", 7, "abc"),
        (ID, "wide net", 8, "wide net"),
        (ID, "wider network", 12, "wider n… abc"),
        ("my_own_run", "", 4, "my_own_run"),
    ],
)
def test_names_are_as_long_as_there_is_room_and_tell_runs_apart(
    folder: str, name: str, width: int, shown: str
) -> None:
    assert short_name(RunSummary(Run(Path(folder)), "damaged", labels=RunLabels(name)), width) == shown


def test_a_shared_name_has_the_letters_of_its_run_behind_it() -> None:
    run = RunSummary(Run(Path(ID)), "damaged", labels=RunLabels("wide"))
    assert short_name(run, 20, is_shared=True) == "wide abc"
    assert short_name(RunSummary(Run(Path(ID)), "damaged"), 30, is_shared=True) == "fashion_mnist-mlp_abc"


@pytest.mark.parametrize(
    ("name", "head", "shown"),
    [
        ("cfg.optimizer.momentum", "momentum", "0.9"),
        ("cfg.model.hidden", "hidden", "64, 32"),
        ("seed", "seed", "3"),
        ("schedule", "schedule", "constant"),
        ("loss_function", "loss_function", "hinge"),
        ("tags", "tags", "a b"),
        ("name", "name", "wide"),
        ("f1_macro", "f1_macro", "0.5000"),
        ("study", "study", "study_x"),
        ("note", "note", "two lines"),
        ("LR", "lr", "0.1"),
    ],
)
def test_any_name_that_a_filter_knows_can_be_a_column(name: str, head: str, shown: str) -> None:
    config: dict[str, dict[str, Any]] = {
        "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
        "model": {"hidden": [64, 32]},
        "training": {"seed": 3},
        "schedule": {"name": "constant"},
        "loss": {"name": "hinge"},
    }
    labels = RunLabels("wide", ("a", "b"), "two\nlines")
    run = Run(Path("study_x/trials") / ID)
    full = RunSummary(run, "completed", config=config, metrics={"f1_macro": 0.5}, labels=labels)
    empty = RunSummary(Run(Path("x")), "damaged")
    (column,) = columns_of([name])
    assert column.title == head
    assert column.show(full, 0.0) == shown
    assert column.show(empty, 0.0) == UNKNOWN
    runs = RunList()
    runs.apply({"full": full, "empty": empty})
    runs.choose(["run", name])
    for falling in (False, True):
        runs.sort(name, falling)
        assert [row.run for row in runs.rows()] == [full.run, empty.run]
    assert [found.name for found, _ in lay_out(60, runs.widths, chosen=runs.chosen)] == ["run", column.name]


def test_what_is_no_column_is_left_out() -> None:
    assert [column.name for column in columns_of(["run", "no such", "cfg.x.y", "run", "lr"])] == ["run", "lr"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (90000, "1 d"),
        (4e7, "1 y"),
        (1e12, ">999 y"),
    ],
)
def test_ages_fit_their_column(seconds: float, shown: str) -> None:
    assert age(seconds) == shown
    assert len(shown) <= COLUMNS["age"].width


def test_an_order_by_loss_of_different_losses_is_no_ranking() -> None:
    rows = [
        RunSummary(Run(Path(name)), "completed", config={"loss": {"name": name}}) for name in ("hinge", "mse")
    ]
    assert _unranked("loss", rows) == "▲ the losses differ (hinge, mse): no ranking  "
    assert _unranked("accuracy", rows) == _unranked("loss", rows[:1]) == ""
