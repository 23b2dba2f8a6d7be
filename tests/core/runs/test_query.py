"""The filter language: what it finds, what it refuses and how it says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.schema import from_dict, to_dict
from core.errors import InputError
from core.evaluation.predictions import Predictions
from core.metrics import METRICS
from core.runs.folder import Run
from core.runs.labels import RunLabels
from core.runs.listing import table_of_runs
from core.runs.query.fields import NUMBERS, TEXTS, field_of, names_like
from core.runs.query.language import example, parse, whole_terms
from core.runs.query.unopened import unopened_note
from core.runs.summary import RunSummary
from core.tasks.evaluation import evaluate
from tui.widgets.runs_columns import column_of


def summary(name: str, values: dict[str, Any], **facts: Any) -> RunSummary:
    return RunSummary(Run(Path("runs") / name), config=to_dict(from_dict(values)), **facts)


RUNS = (
    summary(
        "2026-01-01_0900_digits-mlp_aaa",
        {"optimizer": {"name": "adam", "lr": 0.001}, "model": {"hidden": [256, 128]}},
        status="completed",
        epoch=20,
        epochs=20,
        best_epoch=18,
        metrics={"loss": 0.11, "accuracy": 0.97},
        evaluation={
            "validation": {"accuracy": 0.96, "f1_macro": 0.95},
            "test": {"accuracy": 0.93, "mcc": None},
        },
        test_opened=True,
    ),
    summary(
        "2026-01-02_0900_mnist-cnn_bbb",
        {"data": "mnist", "model": "cnn", "optimizer": {"lr": 0.1}, "training": {"epochs": 5, "threads": 2}},
        status="running",
        epoch=2,
        epochs=5,
        best_epoch=2,
        metrics={"loss": 0.4, "accuracy": 0.88},
    ),
    summary(
        "2026-01-03_0900_diabetes-linear_ccc",
        {"data": "diabetes", "model": "linear", "optimizer": {"name": "sgd", "lr": 0.01}},
        status="failed",
        epoch=7,
        epochs=20,
        best_epoch=3,
        metrics={"loss": 0.9, "r2": 0.41},
        labels=RunLabels("Wide net", ("paper", "b"), "loss rises"),
    ),
    RunSummary(Run(Path("runs/my own run")), "damaged", error="events.jsonl: No such file or directory"),
)


def found(text: str) -> str:
    """The first letters of the runs that match."""
    query = parse(text)
    return "".join(letter for letter, run in zip("abcd", RUNS, strict=True) if query.matches(run))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "abcd"),
        ("  ", "abcd"),
        ("mnist", "b"),
        ("MNIST", "b"),
        ("2026-01-0", "abc"),
        ("running", "b"),
        ('"own run"', "d"),
        ('"own ru', "d"),
        ("own run", "d"),
        ("nothing-like-it", ""),
        ("a!b", ""),
        ("status:running", "b"),
        ("status:ed", "acd"),
        ("status=failed", "c"),
        ("status!=failed", "abd"),
        ("data:digits", "a"),
        ("data=d", ""),
        ("model!=mlp", "bcd"),
        ("optimizer=adam", "a"),
        ("optimizer!=adam", "bc"),
        ("id:ccc", "c"),
        ("epochs>=7", "ac"),
        ("best_epoch = 3", "c"),
        ("accuracy>0.9", "a"),
        ("accuracy < 0.9", "b"),
        ("accuracy>=0.96", "a"),
        ("r2>0", "c"),
        ("loss<=.4", "ab"),
        ("loss!=0.4", "ac"),
        ("f1_macro>0.9", "a"),
        ("test.accuracy<0.95", "a"),
        ("validation.accuracy=0.96", "a"),
        ("test.mcc>-1", ""),
        ("train.accuracy>0", ""),
        ("cfg.optimizer.lr>=1e-2", "bc"),
        ("cfg.optimizer.lr==1e-3", "a"),
        ("cfg.optimizer.name:a", "a"),
        ("cfg.optimizer=sgd", "c"),
        ("cfg.optimizer.momentum>0", "b"),
        ("cfg.optimizer.momentum!=5", "b"),
        ("cfg.training.epochs=5", "b"),
        ("cfg.epochs=5", "b"),
        ("cfg.threads=auto", "ac"),
        ("cfg.threads>1", "b"),
        ("cfg.model.hidden=[256,128]", "a"),
        ('cfg.model.hidden="[256, 128]"', "a"),
        ("cfg.model.hidden=256,128", "a"),
        ("cfg.model.hidden!=[100]", "ab"),
        ("cfg.training.deterministic=off", "abc"),
        ("cfg.training.deterministic=False", "abc"),
        ("cfg.training.deterministic=on", ""),
        ("cfg.optimizer.lr>=1e-2 status:running mnist", "b"),
        ("accuracy>0.5 digits", "a"),
        ("accuracy>0.5 diabetes", ""),
        ("lr>=1e-2", "bc"),
        ("cfg.lr>=1e-2", "bc"),
        ("seed=0", "abc"),
        ("batch>=1", "abc"),
        ("dataset:mnist", "b"),
        ("run:bbb", "b"),
        ("name:wide", "c"),
        ("run:wide", "c"),
        ("wide", "c"),
        ("tag=paper", "c"),
        ("tags:pap", "c"),
        ("tag!=paper", ""),
        ("note:rises", "c"),
        ("not tag=paper", "abd"),
        ("loss:cross", ""),
        ("loss=auto", "abc"),
        ("test>0.9", "a"),
        ("schedule:constant", "abc"),
        ("age>1w", "abc"),
        ("age<1d", ""),
        ("mnist or diabetes", "bc"),
        ("not (mnist or diabetes)", "ad"),
        ("(mnist or diabetes) and not failed", "b"),
        ("not failed digits OR status=damaged", "ad"),
        ('"or"', ""),
        ("not not mnist", "b"),
        ("study:any", ""),
    ],
)
def test_what_a_query_finds(text: str, expected: str) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("acuracy>0.9", "unknown name 'acuracy'. Did you mean accuracy?"),
        (
            "qqq:bar",
            "unknown name 'qqq'. Takes id, run, name, tag, tags, note, status, data, dataset, model, optimizer",
        ),
        ("tset.accuracy>1", "unknown name 'tset.accuracy'"),
        ("accuracy>", "accuracy> needs a number. Example: accuracy>0.9"),
        ("accuracy>high", "'high' is not a number. Example: accuracy>0.9"),
        ("accuracy>nan", "'nan' is not a number"),
        ("accuracy:0.9", "accuracy is a number and cannot be searched by part. Example: accuracy>0.9"),
        ("epochs=>3", "'>3' is not a number. Example: epochs=10"),
        (">3", "'>' stands without a name"),
        ("data<3", "data is text and has no order. Takes data:part, data=whole or data!=whole"),
        ("data:", "data: needs a text"),
        (
            "status:done",
            "unknown status 'done'. Takes pending, preparing, running, paused, completed, stopped",
        ),
        ("status=run", "unknown status 'run'"),
        ("status:", "unknown status ''"),
        ("cfg.optimizer.l", "unknown setting 'optimizer.l'. optimizer has lr, groups, weight_decay"),
        (
            "cfg.optimizer.lr",
            "cfg.optimizer.lr alone finds nothing. Add a comparison, such as cfg.optimizer.lr>0.1",
        ),
        ("cfg.optimizer.lr>", "cfg.optimizer.lr> needs a value. Example: cfg.optimizer.lr>0.1"),
        ("cfg.optimizer.lr<fast", "'fast' is not a number. Example: cfg.optimizer.lr<0.9"),
        ("cfg.alpha>1", "unknown setting 'alpha'. Did you mean cfg."),
        ("lr>=fast", "'fast' is not a number. Example: lr>=0.1"),
        ("loss>hinge", "'hinge' is not a number. Example: loss>0.9"),
        ("age<1", "age<1 is not a time to compare with. Examples: age<1d, age>12h, age>2w"),
        ("age=1d", "age=1d is not a time to compare with"),
        ("tag<3", "tag is text and has no order"),
        ("mnist or", "a term is missing"),
        ("or mnist", "a term is missing"),
        ("not", "a term is missing"),
        ("(mnist", "'(' is not closed"),
        ("mnist)", "')' closes nothing"),
        ("()", "a term is missing"),
        ("cfg.batchsize>1", "unknown setting 'batchsize'. Did you mean batch_size?"),
        ("cfg.", "unknown setting ''. Takes cfg. with data, model, loss, optimizer, schedule, training"),
        ("cfg.training=3", "unknown setting 'training'. training has epochs, min_steps, batch_size"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_what_is_allowed(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acc", "accuracy>0.9"),
        ("mnist sta", "status:"),
        ("cf", "cfg.optimizer.lr>0.1"),
        ("test.", "test.accuracy>0.9"),
        ("mnist ", ""),
        ("", ""),
        ("mnist", ""),
    ],
)
def test_how_a_name_that_is_begun_goes_on(text: str, expected: str) -> None:
    assert example(text) == expected


@pytest.mark.parametrize("name", [*TEXTS, *NUMBERS, "age", "accuracy", "test.f1_macro", "cfg.model.hidden"])
def test_every_name_is_found_by_its_beginning_and_read_from_any_run(name: str) -> None:
    assert name in names_like(name[:3]) or "." in name
    for run in RUNS:
        field_of(name).read(run)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("acc", ""),
        ("mnist acc", "mnist"),
        ("lr>=", ""),
        ("digits acuracy>0.1", "digits"),
        ("mnist or lr", "mnist"),
        ("not mnist or (digits", "not mnist"),
        ('mnist "two wor', "mnist"),
        ("", ""),
    ],
)
def test_the_terms_before_the_one_that_is_typed(text: str, whole: str) -> None:
    assert whole_terms(text) == parse(whole)


def test_a_query_tells_whether_it_asks_for_something() -> None:
    assert [*parse("not (mnist or study:k3f) lr>1").names] == ["study", "lr"]
    assert not [*parse("mnist study").names]


def test_test_numbers_that_nobody_has_opened_are_missing() -> None:
    closed, opened = replace(RUNS[0], test_opened=False), RUNS[0]
    query = parse("test.accuracy>0")
    assert query.matches(opened)
    assert not query.matches(closed)
    assert parse("validation.accuracy>0").matches(closed)
    head, (row, other) = table_of_runs([closed, opened])
    at = head.index("test.accuracy")
    assert (row[at], other[at]) == ("", "0.93")
    assert column_of("test.accuracy").value(closed) is None
    for names in (query.names, ["test"], ["lr", "Test.mcc"]):
        assert "test split of 1 run" in unopened_note(names, [closed, opened])
    assert not unopened_note(["accuracy", "tests"], [closed])
    assert not unopened_note(["test"], [opened, RUNS[1]])


@pytest.mark.slow
@given(st.text() | st.from_regex(r'(cfg\.)?[a-z_."]{0,12}[:<>!= ]{0,3}[-0-9a-z."\[\]]{0,8}( [a-z]*)?'))
def test_any_text_is_a_query_or_an_input_error(text: str) -> None:
    try:
        query = parse(text)
    except InputError:
        return
    assert {query.matches(run) for run in RUNS} <= {True, False}


@given(
    st.text(st.characters(exclude_characters='"'), min_size=1).filter(lambda text: not text.isspace()),
    st.sampled_from(["id", "data", "model"]),
)
def test_quotes_take_any_text_literally(text: str, name: str) -> None:
    run = RunSummary(
        Run(Path("runs") / "x"), "completed", config={"data": {"name": text}, "model": {"name": text}}
    )
    if name == "id":
        assert parse(f'"{text}"').matches(run)
    else:
        assert parse(f'{name}="{text}"').matches(run)


@pytest.mark.parametrize(("task", "classes"), [("multiclass", 12), ("binary", 2), ("regression", 0)])
def test_every_metric_of_an_evaluation_can_be_compared(task: Any, classes: int) -> None:
    random = np.random.default_rng(0)
    samples = 300
    scores = random.random((samples, classes) if classes else samples)
    targets = random.integers(0, classes, samples) if classes else random.random(samples)
    predictions = Predictions(
        scores=scores / scores.sum(-1, keepdims=True) if classes else scores,
        targets=targets,
        indices=np.arange(samples),
        probabilities=bool(classes),
    )
    names = [str(number) for number in range(classes)]
    report = evaluate(predictions, task=task, class_names=names, split="test", intervals=False)
    assert set(report.metrics) <= set(METRICS)
    run = RunSummary(Run(Path("runs/x")), "completed", evaluation={"test": report.metrics}, test_opened=True)
    for name, value in report.metrics.items():
        assert value is None or parse(f"test.{name}={value!r}").matches(run)
