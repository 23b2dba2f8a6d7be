"""The form without a screen: fields from the schema, texts and values, the equivalent command."""

import shlex
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from typer.testing import CliRunner

from core.config.schema import FAMILIES, TrainConfig, from_dict, to_dict
from core.data.augment.options import Augment
from core.data.builtin.vision import Mnist
from core.errors import ConfigError
from core.losses import CrossEntropy
from core.metrics import METRICS
from core.optimizers.groups import WeightGroup
from core.optimizers.sgd import Sgd
from core.options import Code, Options, choices
from tests.support.narrow import instance, some
from tui.cli.commands.all import app
from tui.forms.command_line import command_line, options
from tui.forms.form import STEPS, check, choose, fill, short, typed, valid_part, values_of
from tui.forms.form_fields import SECTIONS, fields_of

GROUPS: list[dict[str, Any]] = [
    {},
    {"backbone.*": {"lr": 1e-4}},
    {"*.bias": {"freeze": True}, "1.weight": {"lr": 0.0, "weight_decay": 0.5}},
]
LISTS: list[list[str]] = [[], ["f1_macro"], ["mae", "nowhere.py:f2"]]


def valid(annotation: Any, metadata: Sequence[Any] = ()) -> st.SearchStrategy[Any]:
    """Valid values of an annotated type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [part for item in arguments[1:] for part in getattr(item, "metadata", [item])]
        return valid(arguments[0], inner)
    limit = {
        key: getattr(item, key)
        for item in metadata
        for key in ("ge", "gt", "le", "lt", "min_length", "max_length")
        if hasattr(item, key)
    }
    if annotation == Augment:
        return st.lists(st.sampled_from(["crop", "flip:0.3", "mixup:1.0"]), max_size=4)
    if any(isinstance(item, Code) for item in metadata):
        return st.sampled_from(["", "nowhere.py:Net"])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([valid(member) for member in arguments])
    if origin is tuple and Ellipsis in arguments:
        longest = limit.get("max_length", 4)
        return st.lists(valid(arguments[0]), min_size=limit.get("min_length", 0), max_size=longest)
    if origin is tuple:
        return st.tuples(*map(valid, arguments)).map(list)
    if annotation is int:
        return st.integers(limit.get("ge", -10), limit.get("le", 2**31))
    if annotation is float:
        low, high = limit.get("ge", limit.get("gt")), limit.get("le", limit.get("lt"))
        return st.floats(
            low,
            high,
            allow_nan=False,
            allow_infinity=False,
            exclude_min="gt" in limit,
            exclude_max="lt" in limit,
        )
    if annotation is bool:
        return st.booleans()
    if origin is dict:
        return st.sampled_from(GROUPS) if arguments[1] is WeightGroup else st.just({})
    assert annotation is str
    return st.sampled_from(["auto", "cpu", "mps", "cuda", "cuda:11"])


def section_values(option: type[Options]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            key: valid(field.annotation, field.metadata)
            for key, field in option.model_fields.items()
            if key != "name"
        },
    )


@st.composite
def configs(draw: st.DrawFn) -> TrainConfig:
    values: dict[str, Any] = {}
    for section, family in FAMILIES.items():
        name = draw(st.sampled_from(list(choices(family))))
        values[section] = {"name": name, **draw(section_values(choices(family)[name]))}
    values["training"] = draw(section_values(type(TrainConfig().training)))
    values["training"] |= {"monitor": draw(st.sampled_from(METRICS)), "metrics": draw(st.sampled_from(LISTS))}
    if values["model"]["name"] in ("vit_small", "transformer_small") and "width" in values["model"]:
        values["model"]["width"] = 2 * max(1, values["model"]["width"] // 2)  # it takes even ones
    return from_dict(values)


@pytest.mark.slow
@given(configs())
@settings(max_examples=60, deadline=None)
def test_the_texts_of_a_form_give_its_configuration_back(config: TrainConfig) -> None:
    texts, dropped = fill(to_dict(config))
    assert dropped == []
    assert check(values_of(texts)) == (config, {})


@pytest.mark.slow
@given(configs())
@settings(max_examples=40, deadline=None)
def test_the_command_gives_the_configuration_back(config: TrainConfig) -> None:
    words = shlex.split(command_line(config))
    assert words[:3] == ["tui", "train", "--no-ui"]
    printed = CliRunner().invoke(app, ["config", *words[3:]], catch_exceptions=False)
    assert from_dict(yaml.safe_load(printed.stdout)) == config


def test_the_command_names_only_what_differs() -> None:
    assert command_line(TrainConfig()) == "tui train --no-ui"
    config = from_dict(
        {
            "optimizer": {"name": "adam", "lr": 1e-5, "beta2": 0.99},
            "model": {"hidden": [256, 128]},
            "training": {"device": "cuda:1", "patience": 3},
        }
    )
    assert command_line(config) == (
        "tui train --no-ui --optimizer adam --lr 1e-05 --device cuda:1 "
        "--set 'model.hidden=[256,128]' --set optimizer.beta2=0.99 --set training.patience=3"
    )
    assert options(from_dict({"data": "mnist"})) == ["--data", "mnist"]


def test_every_field_of_every_choice_is_described() -> None:
    for section in SECTIONS:
        for name in choices(FAMILIES[section]) if section in FAMILIES else [""]:
            specs = fields_of(section, name)
            assert all(spec.label and spec.hint and spec.about for spec in specs)
            assert section not in FAMILIES or specs[0].path == f"{section}.name"


@pytest.mark.parametrize(
    ("section", "name", "path", "hint"),
    [
        ("optimizer", "adam", "optimizer.lr", "> 0"),
        ("optimizer", "adam", "optimizer.beta1", "0 … < 1"),
        ("schedule", "step", "schedule.gamma", "> 0 … 1"),
        ("schedule", "step", "schedule.every", "≥ 1"),
        ("training", "", "training.epochs", "1 … 1,000,000"),
        ("training", "", "training.threads", "auto or 1 … 1,024"),
        ("training", "", "training.checkpoint_minutes", "> 0 minutes"),
        ("model", "cnn", "model.channels", "2 values, each 1 … 4,096"),
        ("model", "mlp", "model.hidden", "1 … 65,536, comma-separated"),
        ("loss", "hinge", "loss.name", "Penalises wrong classes that score within the margin"),
    ],
)
def test_hints_come_from_bounds_units_and_descriptions(section: str, name: str, path: str, hint: str) -> None:
    specs = {spec.path: spec for spec in fields_of(section, name)}
    assert specs[path].hint.startswith(hint)
    assert specs[path].hint == hint or path.endswith(".name")


def test_a_new_class_in_a_union_needs_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lion(Options):
        """Sign of the momentum."""

        name: Literal["lion"] = "lion"
        lr: Annotated[float, Field(gt=0)] = 0.1
        """Length of a step."""
        nesterov: bool = False
        """Look ahead."""
        rule: Literal["sign", "tanh"] = "sign"
        """How to squash."""
        clip: Annotated[float, Field(gt=0)] | None = None
        """Largest norm."""
        groups: tuple[str, ...] = ("all", "rest")
        """Names."""
        tag: str
        """No default."""

    monkeypatch.setitem(FAMILIES, "optimizer", Sgd | Lion)
    specs = {spec.path.partition(".")[2]: spec for spec in fields_of("optimizer", "lion")}
    kinds = {key: (spec.kind, spec.many, spec.default) for key, spec in specs.items() if key != "name"}
    assert kinds == {
        "lr": ("number", False, "0.1"),
        "nesterov": ("switch", False, "off"),
        "rule": ("choice", False, "sign"),
        "clip": ("number", False, "none"),
        "groups": ("text", True, "all, rest"),
        "tag": ("text", False, ""),
    }
    texts, _ = fill({"optimizer": {"name": "lion", "nesterov": True, "clip": 2.5, "tag": "1e3"}})
    assert values_of(texts)["optimizer"] == {
        "name": "lion",
        "lr": 0.1,
        "nesterov": True,
        "rule": "sign",
        "clip": 2.5,
        "groups": ["all", "rest"],
        "tag": "1e3",
    }
    texts["optimizer.clip"] = "none"
    assert values_of(texts)["optimizer"]["clip"] is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("optimizer.lr", "0..01"),
        ("optimizer.lr", "-1"),
        ("optimizer.lr", "nan"),
        ("training.epochs", "2.5"),
        ("training.epochs", ""),
        ("training.threads", "many"),
        ("training.device", "gpu"),
        ("data.validation", "1"),
        ("model.hidden", ""),
        ("model.hidden", "256, x"),
    ],
)
def test_a_wrong_text_says_what_the_command_line_says(path: str, text: str) -> None:
    texts, _ = fill({})
    values = values_of({**texts, path: text})
    config, problems = check(values)
    assert config is None
    assert list(problems) == [path]
    with pytest.raises(ConfigError) as raised:
        from_dict(values)
    assert raised.value.message.removeprefix(raised.value.field) == f": {problems[path]}"
    nearest, _ = check(valid_part(values, problems))
    assert nearest == TrainConfig()


def test_beside_its_field_a_problem_leaves_out_the_value() -> None:
    assert short("got '0..01', takes a number") == "takes a number"
    assert short("got 'a, takes b', takes a number") == "takes a number"
    assert short("the hinge loss does not work for numbers") == "the hinge loss does not work for numbers"


def test_lists_are_read_while_they_are_typed() -> None:
    texts, _ = fill({})
    for text, hidden in [("256", [256]), ("256,", [256]), ("256, 1e2", [256, 100.0]), ("[8,4]", [8, 4])]:
        assert values_of({**texts, "model.hidden": text})["model"]["hidden"] == hidden
    for text in ("[[[", "[8", "8]"):
        assert values_of({**texts, "model.hidden": text})["model"]["hidden"] == [text]


def test_arguments_of_metrics_are_typed_as_in_a_file() -> None:
    texts = fill({"training": {"metric_arguments": {"Fbeta": {"beta": 2}}}})[0]
    config = some(check(values_of(texts))[0])
    assert config.training.metric_arguments == {"Fbeta": {"beta": 2}}
    texts["training.metric_arguments"] = "Fbeta: 2"
    assert list(check(values_of(texts))[1]) == ["training.metric_arguments"]


def test_groups_and_weights_are_typed_as_in_a_file() -> None:
    texts, _ = fill({"optimizer": {"name": "adam"}, "loss": {"name": "cross_entropy"}})
    texts |= {"optimizer.groups": "backbone.*: {lr: 1e-4}", "loss.class_weights": "1, 4"}
    config = some(check(values_of(texts))[0])
    assert config.optimizer.groups == {"backbone.*": WeightGroup(lr=1e-4)}
    assert instance(CrossEntropy, config.loss).class_weights == (1, 4)
    texts |= {"optimizer.groups": "nonsense", "loss.class_weights": "balanced"}
    assert instance(
        CrossEntropy, some(check(values_of({**texts, "optimizer.groups": ""}))[0]).loss
    ).class_weights == ("balanced")
    assert list(check(values_of(texts))[1]) == ["optimizer.groups"]


def test_another_choice_keeps_what_was_edited_and_means_the_same() -> None:
    texts, _ = fill({"data": {"name": "wine", "validation": 0.3}, "model": "mlp"})
    texts |= {
        "optimizer.lr": "0.5",
        "optimizer.weight_decay": "0.02",
        "model.hidden": "64",
        "model.dropout": "0.2",
    }
    adam = choose(texts, "optimizer", "adamw")
    assert adam["optimizer.lr"] == "0.001"
    assert adam["optimizer.weight_decay"] == "0.02"
    assert adam["optimizer.beta1"] == "0.9"
    assert "optimizer.momentum" not in adam
    assert choose(adam, "data", "mnist")["data.validation"] == "0.3"
    cnn = choose(texts, "model", "cnn")
    assert (cnn["model.dropout"], cnn["model.hidden"]) == ("0.2", "120, 84")
    untouched, _ = fill({"optimizer": {"name": "momentum"}})
    assert choose(untouched, "optimizer", "rmsprop")["optimizer.momentum"] == "0"


def test_values_of_another_version_are_left_out_and_told() -> None:
    texts, dropped = fill(
        {
            "zork": 1,
            "data": "wine",
            "loss": ["hinge"],
            "optimizer": {"name": "newton", "lr": 1},
            "schedule": {"name": ["step"]},
            "training": {"epochs": "three", "flux": 1},
        }
    )
    assert dropped == [
        "zork",
        "loss",
        "optimizer.name = newton",
        "schedule.name = ['step']",
        "training.flux",
    ]
    assert texts["data.name"] == "wine"
    assert texts["optimizer.name"] == "momentum"
    assert texts["training.epochs"] == "three"


def test_texts_never_act_on_the_terminal() -> None:
    texts, _ = fill({"training": {"device": "\x1b[31m\n"}})
    assert texts["training.device"] == "␛[31m⏎"


def test_augmentations_are_a_list_of_texts() -> None:
    texts, _ = fill({"data": {"name": "mnist", "augment": ["crop:2", "flip"]}})
    assert texts["data.augment"] == "crop:2, flip"
    config, wrong = check(values_of(texts))
    assert (instance(Mnist, some(config).data).augment, wrong) == (("crop:2", "flip"), {})
    _, wrong = check(values_of({**texts, "data.augment": "crop:2, zoom"}))
    assert wrong["data.augment"].startswith("unknown augmentation 'zoom'. Known: crop, flip")


def test_epochs_that_are_typed_have_no_smallest_number_of_steps_beside_them() -> None:
    table = choose(fill({})[0], "data", "csv")
    assert [typed(table, "training.epochs", "7")[path] for path in ("training.epochs", STEPS)] == ["7", "0"]
    assert typed(table, "training.batch_size", "7")[STEPS] == "1000"
    asked = typed(table, STEPS, "300")
    assert typed(asked, "training.epochs", "7")[STEPS] == "300", "both were given"


def test_sections_that_were_not_edited_follow_the_data() -> None:
    first, _ = fill({})
    table = choose(first, "data", "csv")
    assert [table[path] for path in ("model.name", "optimizer.name", "training.min_steps")] == [
        "tabular",
        "adamw",
        "1000",
    ]
    assert choose(table, "data", "digits")["model.name"] == first["model.name"]
    assert fill({"data": "wine"})[0] == choose(first, "data", "wine")
    assert choose(table, "model", "mlp")["optimizer.name"] == "momentum"
    assert choose(first | {"optimizer.lr": "0.5"}, "data", "csv")["optimizer.lr"] == "0.5"
    assert choose(choose(first, "model", "cnn"), "data", "csv")["model.name"] == "cnn"
