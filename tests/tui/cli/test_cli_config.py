"""`tui config`: file, flags and --set become one configuration; and the commands that list what there is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config.schema import FAMILIES, from_dict
from core.options import choices

Tui = Callable[..., Any]


def resolved(tui: Tui, line: str) -> Any:
    answer = tui(f"config {line}")
    assert (answer.code, answer.err) == (0, "")
    return from_dict(yaml.safe_load(answer.out))


def test_what_it_prints_it_reads(tui: Tui) -> None:
    first = tui("config --data wine --optimizer adam --set model.hidden=[8,4]")
    Path("run.yaml").write_text(first.out)
    assert tui("config --config run.yaml") == first
    assert resolved(tui, "") == from_dict({})


def test_the_last_one_wins(tui: Tui) -> None:
    Path("run.yaml").write_text("optimizer: {name: adam, lr: 0.1}\ntraining: {seed: 1, epochs: 2}\n")
    config = resolved(tui, "--set training.epochs=5 --set epochs=6 --config run.yaml --lr 0.2 --epochs 4")
    assert (config.optimizer.name, config.optimizer.lr) == ("adam", 0.2)
    assert config.training.seed == 1, "from the file"
    assert config.training.epochs == 6, "--set comes after flags, wherever it stands"


def test_a_flag_reaches_the_choice_of_the_file(tui: Tui) -> None:
    Path("run.yaml").write_text("optimizer: adagrad\n")
    config = resolved(tui, "--config run.yaml --lr 0.5")
    assert (config.optimizer.name, config.optimizer.lr) == ("adagrad", 0.5)
    assert resolved(tui, "--config run.yaml --optimizer sgd").optimizer.name == "sgd"


def test_a_name_comes_before_its_fields_wherever_it_stands(tui: Tui) -> None:
    config = resolved(tui, "--set model.width=8 --lr 5 --set optimizer.name=sgd --set model=residual_mlp")
    assert (config.optimizer.name, config.optimizer.lr) == ("sgd", 5.0)
    assert (config.model.name, config.model.width) == ("residual_mlp", 8)


def test_every_flag(tui: Tui) -> None:
    config = resolved(
        tui,
        "--data wine --model linear --loss hinge --optimizer adamw --schedule cosine --lr 1e-2 --val 0.25 "
        "--batch-size 16 --epochs 7 --device cpu --seed 5 --threads 2",
    )
    names = [getattr(config, section).name for section in FAMILIES]
    assert names == ["wine", "linear", "hinge", "adamw", "cosine"]
    assert (config.optimizer.lr, config.data.validation) == (0.01, 0.25)
    training = config.training
    assert (training.batch_size, training.epochs, training.device) == (16, 7, "cpu")
    assert (training.seed, training.threads) == (5, 2)
    assert resolved(tui, "--threads auto").training.threads == "auto"


def test_schema(tui: Tui) -> None:
    assert "properties" in json.loads(tui("config --schema").out)


@pytest.mark.parametrize(
    ("command", "section"),
    [
        ("datasets", "data"),
        ("models", "model"),
        ("losses", "loss"),
        ("optimizers", "optimizer"),
        ("schedules", "schedule"),
    ],
)
def test_lists_name_every_choice_and_field(tui: Tui, command: str, section: str) -> None:
    answer = tui(command)
    assert answer.code == 0
    for name, option in choices(FAMILIES[section]).items():
        assert f"\n{name} " in f"\n{answer.out}"
        for key in option.model_fields:
            assert key == "name" or f"{key} = " in answer.out


def test_help_and_version(tui: Tui) -> None:
    assert "--optimizer" in tui("train --help").out
    assert "train" in tui("-h").out
    assert tui("--version").out.startswith("torchtui ")
