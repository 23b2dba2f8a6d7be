"""One configuration: read, combined, checked, written, and refused in one clear line."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.config import schema
from core.config.schema import (
    FAMILIES,
    TrainConfig,
    from_dict,
    json_schema,
    merge,
    set_path,
    to_dict,
    to_yaml,
)
from core.config.training import Training
from core.config.yaml_files import read_yaml
from core.data.builtin.tables import Digits
from core.errors import ConfigError
from core.models.mlp import Mlp
from core.optimizers.adam import Adam
from core.options import Files, Options, choices
from tests.support.narrow import instance


def refusal(values: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        from_dict(values)
    return caught.value


def test_nothing_given_is_a_whole_configuration() -> None:
    config = from_dict({})
    assert config == TrainConfig()
    assert (config.data.name, config.model.name, config.loss.name) == ("digits", "mlp", "auto")
    assert instance(Mlp, config.model).hidden == (100,)


def test_name_chooses_the_fields_of_a_section() -> None:
    config = from_dict({"optimizer": {"name": "adam", "beta1": 0.8}, "model": "cnn"})
    assert (config.optimizer.name, instance(Adam, config.optimizer).beta1, config.optimizer.lr) == (
        "adam",
        0.8,
        0.001,
    )
    assert config.model.name == "cnn"


def test_fields_without_a_name_belong_to_the_default_of_their_section() -> None:
    assert from_dict({"optimizer": {"lr": 0.5}}).optimizer == TrainConfig().optimizer.model_copy(
        update={"lr": 0.5}
    )


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"dta": {}}, "dta", "dta: unknown key. Did you mean 'data'?"),
        ({"data": "mnits"}, "data.name", "data.name: no such name 'mnits'. Did you mean 'mnist'?"),
        ({"model": {"name": "mpl"}}, "model.name", "Did you mean 'mlp'?"),
        ({"optimizer": {"name": "adam", "beta_1": 0.9}}, "optimizer.beta_1", "Did you mean 'beta1'?"),
        ({"optimizer": {"lr": 0}}, "optimizer.lr", "optimizer.lr: got 0, takes a number > 0"),
        ({"optimizer": {"lr": -0.1}}, "optimizer.lr", "optimizer.lr: got -0.1, takes a number > 0"),
        ({"optimizer": {"lr": math.nan}}, "optimizer.lr", "optimizer.lr: got nan, takes a finite number"),
        ({"optimizer": {"lr": math.inf}}, "optimizer.lr", "optimizer.lr: got inf, takes a finite number"),
        ({"optimizer": {"lr": "fast"}}, "optimizer.lr", "optimizer.lr: got 'fast', takes a number"),
        ({"training": {"batch_size": 0}}, "training.batch_size", "got 0, takes a number >= 1"),
        ({"training": {"epochs": -1}}, "training.epochs", "got -1, takes a number >= 1"),
        ({"training": {"epochs": 2.5}}, "training.epochs", "got 2.5, takes a whole number"),
        ({"training": {"epochs": 10**7}}, "training.epochs", "takes a number <= 1,000,000"),
        ({"training": {"epochs": 16**5000}}, "training.epochs", "got a number too long to show"),
        ({"training": {"threads": 0}}, "training.threads", "got 0, takes 'auto' or a number >= 1"),
        ({"training": {"threads": "all"}}, "training.threads", "got 'all', takes 'auto' or a whole number"),
        ({"training": {"device": "gpu"}}, "training.device", "takes auto, cpu, cuda"),
        ({"training": None}, "training", "got None, takes a section"),
        ({"data": {"validation": 1.5}}, "data.validation", "got 1.5, takes a number < 1"),
        ({"data": None}, "data", "got None, takes a section"),
        ({"data": {1: 2}}, "data.1", "data.1: unknown key. Known: "),
        (
            {"loss": {"class_weights": "balanced"}},
            "loss.class_weights",
            "loss.class_weights: unknown key. Known: name. It is a setting of cross_entropy, ",
        ),
        ({"data": {"name": "csv", "path": "a.csv", "drop": "a"}}, "data.drop", "takes a list such as [a, b]"),
        ({"model": {"hidden": 64}}, "model.hidden", "takes a list such as [256, 128]"),
        ({"model": {"hidden": []}}, "model.hidden", "takes at least 1 value"),
        (
            {"optimizer": {"groups": "bias"}},
            "optimizer.groups",
            "got 'bias', takes values by name, such as {",
        ),
        (
            {"optimizer": {"groups": {"bias": None}}},
            "optimizer.groups",
            "got None, takes values by name",
        ),
        (
            {"training": {"metric_arguments": {"f1": 1}}},
            "training.metric_arguments",
            "takes values by name",
        ),
        ({"model": {"hidden": [64, 0]}}, "model.hidden.1", "model.hidden.1: got 0, takes a number >= 1"),
        ({"model": {"name": "cnn", "channels": [8]}}, "model.channels.1", "takes one more value"),
        ({"model": {"name": "cnn", "channels": [8, 8, 8]}}, "model.channels", "takes at most 2 values"),
        ({"model": {"activation": "rleu"}}, "model.activation", "takes 'relu', 'tanh', 'sigmoid' or 'gelu'"),
    ],
)
def test_refusal_names_field_value_and_what_is_taken(values: dict[str, Any], field: str, says: str) -> None:
    error = refusal(values)
    assert error.field == field
    assert says in str(error)
    assert "\n" not in str(error)


def test_all_problems_are_told_at_once() -> None:
    error = refusal({"training": {"epochs": 0}, "optimizer": {"lr": -1}, "data": {"test": 2}})
    for field in ("training.epochs", "optimizer.lr", "data.test"):
        assert f"{field}: got" in str(error)


def test_long_values_are_cut_in_messages() -> None:
    assert len(str(refusal({"optimizer": {"lr": "x" * 10_000}}))) < 200


# -- combining -------------------------------------------------------------------------------------------------


def test_the_last_one_laid_on_top_wins() -> None:
    values = merge(
        {"optimizer": {"name": "adam", "lr": 0.1}, "training": {"seed": 3}}, {"optimizer": {"lr": 0.2}}
    )
    assert values == {"optimizer": {"name": "adam", "lr": 0.2}, "training": {"seed": 3}}


def test_arguments_of_metrics_that_are_not_given_again_stay() -> None:
    values = set_path({}, "training.metric_arguments.Fbeta.beta=2")
    values = set_path(values, "training.metric_arguments.Fbeta.floor=0.1")
    values = set_path(values, "training.metric_arguments.Cost.price=3")
    values = set_path(values, "training.metric_arguments.Fbeta.beta=4")
    given = from_dict(values).training.metric_arguments
    assert given == {"Fbeta": {"beta": 4, "floor": 0.1}, "Cost": {"price": 3}}


def test_another_name_starts_from_its_own_defaults() -> None:
    below = {"optimizer": {"name": "sgd", "lr": 0.5}}
    config = from_dict(merge(below, {"optimizer": {"name": "adam"}}))
    assert config.optimizer.lr == 0.001
    assert from_dict(merge(below, {"optimizer": {"name": "sgd"}})).optimizer.lr == 0.5


def test_a_section_without_name_below_has_the_default_name() -> None:
    assert merge({"optimizer": {"lr": 0.5}}, {"optimizer": {"name": "momentum"}})["optimizer"]["lr"] == 0.5
    assert "lr" not in merge({"optimizer": {"lr": 0.5}}, {"optimizer": {"name": "adam"}})["optimizer"]


def test_short_form_of_a_section_keeps_its_name_under_a_field() -> None:
    config = from_dict(merge({"optimizer": "adam"}, {"optimizer": {"lr": 0.5}}))
    assert (config.optimizer.name, config.optimizer.lr) == ("adam", 0.5)
    config = from_dict(merge({"optimizer": {"name": "adam", "lr": 0.5}}, {"optimizer": "adam"}))
    assert (config.optimizer.name, config.optimizer.lr) == ("adam", 0.5)


class Sheets(Options):
    """Rows of a file."""

    name: Literal["sheets"] = "sheets"
    rate: float = 0.5
    path: Annotated[str, Files((".sheet", ".ods"))] = ""


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice of data that has a field for the path of a file."""
    families = {section: choices(family) for section, family in FAMILIES.items()}
    families["data"] = {"digits": Digits, "sheets": Sheets}
    monkeypatch.setattr(schema, "_family", families.__getitem__)


@pytest.mark.usefixtures("sheets")
@pytest.mark.parametrize("given", ["a/my.SHEET", {"name": "a/my.SHEET"}])
def test_a_path_in_place_of_a_name_means_the_choice_that_takes_such_files(given: Any) -> None:
    assert merge({}, {"data": given})["data"] == {"name": "sheets", "path": "a/my.SHEET"}
    assert merge({"data": {"name": "sheets", "rate": 1}}, {"data": given})["data"]["rate"] == 1
    assert set_path({}, "data.name=a/my.SHEET")["data"] == {"name": "sheets", "path": "a/my.SHEET"}
    with pytest.raises(ConfigError, match=r"no such name 'my\.sheets'"):
        from_dict({"data": "my.sheets"})


def test_merge_leaves_its_arguments_alone() -> None:
    base = {"training": {"epochs": 1}}
    merge(base, {"training": {"epochs": 2}, "model": "cnn"})
    assert base == {"training": {"epochs": 1}}


@pytest.mark.parametrize(
    ("assignment", "values"),
    [
        ("optimizer.lr=0.1", {"optimizer": {"lr": 0.1}}),
        ("optimizer.lr=1e-3", {"optimizer": {"lr": 0.001}}),
        ("model.hidden=[256,128]", {"model": {"hidden": [256, 128]}}),
        ("training.device=cuda:1", {"training": {"device": "cuda:1"}}),
        ("epochs=5", {"training": {"epochs": 5}}),
        ("model=cnn", {"model": {"name": "cnn"}}),
        ("data.name=iris ", {"data": {"name": "iris"}}),
        ('data.target="2019"', {"data": {"target": "2019"}}),
        ("data.target= '1e3' ", {"data": {"target": "1e3"}}),
        ("data.target=!!str 1e3", {"data": {"target": "1e3"}}),
        ('data.target="true"', {"data": {"target": "true"}}),
        ('data.target="null"', {"data": {"target": "null"}}),
    ],
)
def test_assignments_are_read_as_yaml(assignment: str, values: dict[str, Any]) -> None:
    assert set_path({}, assignment) == values


@pytest.mark.slow
@pytest.mark.parametrize(
    "assignment",
    [
        *("", "epochs", "=1", ".lr=1", "optimizer..lr=1", "a=[", "a=2020-13-45"),
        pytest.param("a=" + "[" * 9999, id="deep"),
    ],
)
def test_what_is_no_assignment_is_refused(assignment: str) -> None:
    with pytest.raises(ConfigError):
        set_path({}, assignment)


# -- files -----------------------------------------------------------------------------------------------------

EVERYTHING = [{section: {"name": name}} for section, union in FAMILIES.items() for name in choices(union)]


@pytest.mark.parametrize("values", [{}, *EVERYTHING], ids=str)
def test_yaml_round_trip(values: dict[str, Any], tmp_path: Path) -> None:
    config = from_dict(values)
    path = tmp_path / "run.yaml"
    path.write_text(to_yaml(config))
    assert from_dict(read_yaml(path)) == config
    assert from_dict(to_dict(config)) == config
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_yaml_puts_the_name_first() -> None:
    lines = to_yaml(TrainConfig()).splitlines()
    for section in FAMILIES:
        assert lines[lines.index(f"{section}:") + 1].startswith("  name: ")


def test_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("# nothing yet\n")
    assert read_yaml(path) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"data: [", "is not YAML at line 1, column 8"),
        (b"a: 1\n b: 2\n", "is not YAML at line 2"),
        (b"- digits\n", "has no sections"),
        (b"digits", "has no sections"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"data: 2020-13-45", "is not YAML"),
        pytest.param(b"a: " + b"[" * 9999, "is not YAML", id="deep"),
        (b"a: !!python/object/apply:os.getcwd []", "is not YAML"),
    ],
)
def test_a_file_that_is_no_configuration(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.yaml") as caught:
        read_yaml(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot read"):
            read_yaml(path)


@pytest.mark.parametrize(
    ("given", "splits"),
    [
        ({}, ("validation", "test")),
        ({"evaluation": {"test": "never"}}, ("validation",)),
        ({"data": {"name": "digits", "folds": 5}}, ("validation",)),
    ],
)
def test_the_test_split_can_stay_untouched(given: dict[str, Any], splits: tuple[str, ...]) -> None:
    assert from_dict(given).evaluated_splits == splits


def test_json_schema_describes_every_choice() -> None:
    schema = json.loads(json_schema())
    assert set(schema["properties"]) == {*FAMILIES, "training", "checkpoints", "evaluation"}
    assert schema["additionalProperties"] is False
    for section, union in FAMILIES.items():
        assert set(schema["properties"][section]["discriminator"]["mapping"]) == set(choices(union))
    epochs = schema["$defs"]["Training"]["properties"]["epochs"]
    assert (epochs["minimum"], epochs["default"]) == (1, Training().epochs)
    assert epochs["description"] == "Passes over the training data."


# -- anything at all -------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["name", "lr", "hidden", "epochs", "threads", "device", "validation", "channels", "adam", "cnn", "digits"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
    | WORDS
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.text(max_size=3) | st.integers(), inner, max_size=4)
        | st.sets(st.integers(), max_size=2)
    ),
    max_leaves=12,
)
SECTIONS = st.dictionaries(
    st.sampled_from([*FAMILIES, "training"]) | st.text(max_size=3), ANYTHING, max_size=4
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(SECTIONS, SECTIONS)
@example({"data": {"name": []}}, {"data": {"name": {}}})
@example({"training": {"epochs": 16**5000}}, {})
@example({"model": "mlp"}, {"model": {"hidden": [[1]]}})
def test_any_values_are_a_configuration_or_refused(below: dict[str, Any], over: dict[str, Any]) -> None:
    try:
        config = from_dict(merge(below, over))
    except ConfigError:
        return
    assert from_dict(yaml.safe_load(to_yaml(config))) == config


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=40) | st.tuples(WORDS, st.text(max_size=20)).map("=".join))
def test_any_assignment_is_values_or_refused(assignment: str) -> None:
    try:
        values = set_path({}, assignment)
    except ConfigError:
        return
    assert len(values) == 1


def test_the_default_network_fits_the_data(tmp_path: Path) -> None:
    images, bits = np.zeros((6, 8, 8), np.float32), np.zeros((6, 8, 8), np.int64)
    for name, targets in (("masks", bits), ("classes", bits[:, 0, 0]), ("floats", images)):
        np.savez(tmp_path / f"{name}.npz", x=images, y=targets)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", bits)
    found = {
        name: from_dict({"data": str(tmp_path / name)}).model.name
        for name in ("masks.npz", "classes.npz", "floats.npz", "missing.npz", "x.npy")
    }
    assert found == {
        "masks.npz": "unet",
        "classes.npz": "mlp",
        "floats.npz": "mlp",
        "missing.npz": "mlp",
        "x.npy": "unet",
    }
    masks = str(tmp_path / "masks.npz")
    assert from_dict({"data": masks, "model": "cnn"}).model.name == "cnn"
    assert from_dict({"data": masks, "model": {"depth": 2}}).model.name == "unet"
    assert [from_dict({"data": name}).model.name for name in ("mask_folder", "text_folder")] == [
        "unet",
        "text_bag",
    ]
    assert from_dict({"data": {"name": "arrays", "shape": "tokens"}}).model.name == "text_bag"
