"""Settings in which runs differ, and whether their samples are the same."""

from typing import Any

import pytest

from core.config.schema import FAMILIES
from core.options import choices
from core.runs.comparison.entries import Entry, EntryReader
from core.runs.comparison.groups import grouped
from core.runs.comparison.same_data import IDENTITY, SPLITTING
from core.runs.comparison.settings import differences, not_comparable
from core.runs.folder import Run
from tests.support.fixtures import WriteRun


def read(*runs: Run) -> list[Entry]:
    return [EntryReader(run).read() for run in runs]


def test_only_the_settings_that_differ_are_told_section_by_section(write_run: WriteRun) -> None:
    entries = read(
        write_run("a", [0.5], values={"optimizer": {"name": "adam", "lr": 0.1}, "model": {"hidden": [8]}}),
        write_run("b", [0.5], values={"optimizer": {"name": "sgd", "lr": 0.1}, "model": {"hidden": [8]}}),
    )
    different = differences(grouped(entries))
    assert different["optimizer.name"] == ["adam", "sgd"]
    assert "optimizer.beta1" not in different  # that of Adam is the default, and the other has none
    assert "optimizer.lr" not in different
    assert "model.hidden" not in different
    assert all(path.startswith("optimizer.") for path in different)
    assert differences(grouped(entries[:1])) == {}


def test_it_is_said_when_numbers_do_not_compare(write_run: WriteRun) -> None:
    digits, iris = write_run("a", [0.5]), write_run("b", [0.5], values={"data": {"name": "iris"}})
    half = write_run("c", [0.5], values={"data": {"validation": 0.5}})
    assert not_comparable(read(digits, iris), "test") == "not the same data: digits, iris"
    assert not_comparable(read(digits, half), "validation") == "not the same validation samples"
    assert not_comparable(read(digits, half), "test") == ""


CSV = {"name": "csv", "path": "a.csv"}
NPZ = {"name": "arrays", "path": "my.npz"}


@pytest.mark.parametrize(
    ("one", "other", "split", "told"),
    [
        ({}, {"split_seed": 1}, "test", "not the same test samples"),
        (CSV, {**CSV, "group": "who"}, "test", "not the same test samples: data.group is nothing, who"),
        ({}, {"test": 0.3}, "test", "not the same test samples"),
        ({}, {"test": 0.3}, "validation", "not the same validation samples"),
        ({"name": "mnist"}, {"name": "mnist", "split_seed": 1}, "test", ""),
        ({"name": "mnist"}, {"name": "mnist", "split_seed": 1}, "train", "not the same train samples"),
        ({"folds": 3}, {"folds": 3, "fold": 2}, "validation", "not the same validation samples"),
        ({"folds": 3}, {"folds": 3, "validation": 0.3}, "validation", ""),
        ({"folds": 3}, {"folds": 3, "fold": 2}, "test", ""),
        (CSV, {**CSV, "path": "b.csv"}, "test", "not the same data: a.csv, b.csv"),
        (CSV, {**CSV, "path": "/data/mine/../a.csv"}, "test", ""),
        (CSV, {**CSV, "target": "price"}, "test", "not the same data.target: the default, price"),
        (CSV, {**CSV, "drop": ["id"], "max_categories": 9}, "test", ""),
        ({**CSV, "test_path": "t.csv"}, {**CSV, "test_path": "t.csv", "split_seed": 1}, "test", ""),
        (CSV, {**CSV, "test_path": "t.csv"}, "test", "not the same test samples"),
        (NPZ, {**NPZ, "inputs": "x"}, "test", "not the same data.inputs: the default, x"),
        ({"name": "moons"}, {"name": "moons", "noise": 0.5}, "test", "not the same data.noise: 0.1, 0.5"),
        ({}, {"augment": ["flip"], "scaling": "unit"}, "validation", ""),
    ],
)
def test_which_samples_are_the_same(
    write_run: WriteRun, one: dict[str, Any], other: dict[str, Any], split: str, told: str
) -> None:
    runs = [write_run(name, [0.5], values={"data": data}) for name, data in (("a", one), ("b", other))]
    assert not_comparable(read(*runs), split) == told


def test_every_field_of_the_data_is_known_to_tell_samples_apart_or_not() -> None:
    changes_no_sample = {
        *(
            "name",
            "augment",
            "scaling",
            "size",
            "colour",
            "shape",
            "task",
            "on_error",
            "missing_target",
            "value_range",
        ),
        *(
            "drop",
            "categories",
            "max_categories",
            "missing",
            "separator",
            "encoding",
            "header",
            "numbers",
            "decimal",
        ),
        *("text", "token", "min_count", "max_words", "max_length", "padding"),
        *("day_first", "rare_classes", "classes", "keep"),
        *("feed", "workers", "worker_timeout"),
    }
    sources = choices(FAMILIES["data"]).values()
    fields = {field for options in sources for field in options.model_fields}
    assert fields == {*IDENTITY, *SPLITTING, *changes_no_sample}
