"""Every command has `--json`, and what it prints is one document, or lines, as the published schema says."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from core.events import EVENT_TYPES, EpochFinished, to_json
from core.runs.folder import Run
from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Tui
from tui.cli.commands.all import Commands
from tui.cli.lazy import _load
from tui.headless.documents.envelope import VERSION, FailureDocument, as_dict, as_text
from tui.headless.documents.finding import LrFindDocument
from tui.headless.documents.schema import documents, schema_text

SCHEMA = REPOSITORY / "docs" / "json.schema.json"
WITHOUT = {
    "serve": "stays open, and prints an address",
    "mcp": "speaks JSON-RPC",
    "queue work": "is started by the queue itself",
}


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands that can be called, with the words that call them."""
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield name, command
    for word, one in inner.items():
        yield from leaves(f"{name} {word}", one)


def test_every_command_has_it() -> None:
    for name, (target, _) in Commands.COMMANDS.items():
        for words, command in leaves(name, _load(target)):
            has = any("--json" in parameter.opts for parameter in command.params)
            assert has != (words in WITHOUT), words


def test_the_published_schema_is_the_one_of_the_code() -> None:
    assert SCHEMA.read_text() == schema_text(), (
        "write it anew: python -c 'from tui.headless.documents.schema import schema_text; "
        f'print(schema_text(), end="")\' > {SCHEMA}'
    )
    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


def test_the_page_names_every_kind() -> None:
    page = (SCHEMA.parent / "json.md").read_text()
    assert [kind for kind in documents() if kind not in page] == []


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    return found


@pytest.fixture
def check(schema: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Return a document, or a line, that is as the schema says."""

    def check(text: str) -> dict[str, Any]:
        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        value: dict[str, Any] = json.loads(text, parse_constant=refuse)
        kind = value.get("document") or value["event"]
        Draft202012Validator({**schema, "anyOf": [{"$ref": f"#/$defs/{kind}"}]}).validate(value)
        expected = schema["$defs"][kind]["properties"].keys()
        assert value.keys() <= expected, f"{kind}: not in the schema: {value.keys() - expected}"
        return value

    return check


Check = Callable[[str], dict[str, Any]]


def test_numbers_that_json_lacks_are_null(check: Check) -> None:
    points: list[dict[str, float | None]] = [{"lr": np.float64(0.1), "loss": np.inf, "smoothed": np.nan}]
    found = LrFindDocument(suggestion=np.nan, bolder=None, lowest=0.5, blew_up=True, points=points)
    value = check(as_text(found))
    assert value == as_dict(found)
    assert value["points"] == [{"lr": 0.1, "loss": None, "smoothed": None}]
    assert (value["v"], value["suggestion"], value["lowest"]) == (VERSION, None, 0.5)


def test_an_epoch_that_diverged_is_a_line(check: Check) -> None:
    numbers = {"loss": float("nan")}
    epoch = EpochFinished(
        epoch=1, step=2, train=numbers, validation=numbers, lr=0.1, seconds=1.0, best_epoch=0, best_metrics={}
    )
    assert check(to_json(epoch, "a-run"))["train"] == {"loss": None}
    assert set(EVENT_TYPES) <= set(json.loads(SCHEMA.read_text())["$defs"])


def test_an_error_is_a_document_beside_the_sentence_for_people(tui: Tui, check: Check) -> None:
    told = tui("runs show nothing --json")
    value = check(told.out)
    assert (told.code, value["exit_code"], value["error"]) == (2, 2, "RunError")
    assert value["message"] in told.err
    assert value["hint"] in told.err
    wrong = tui("compare --json --nonsense")
    assert check(wrong.out)["error"] == "UsageError"
    assert (wrong.code, "nonsense" in wrong.out, "nonsense" in wrong.err) == (2, True, True)
    assert tui("runs show nothing").out == ""


def test_commands_that_need_no_training(
    tui: Tui,
    check: Check,
    write_run: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = [
        write_run(f"2026-01-0{day}_0900_digits-mlp_{'abc'[day] * 3}", [0.5, float("nan")]) for day in (0, 1)
    ]
    monkeypatch.setenv("TUI_RUNS", str(runs[0].path.parent))
    last = runs[1].id
    kinds = {
        "runs": "runs",
        "runs --sort size": "runs",
        "runs show bbb": "run",
        "runs rename bbb 'a name'": "labels",
        "runs tag bbb good": "labels",
        "runs note bbb": "labels",
        "runs diff aaa bbb": "difference",
        "compare aaa bbb": "comparison",
        "runs bundle bbb --to one.zip": "file",
        "runs delete bbb": "moved",
        "runs trash": "trash",
        "runs restore": "moved",
        "runs trash --empty": "emptied",
        "datasets": "choices",
        "schedules": "choices",
        "config --data wine": "config",
    }
    found = {}
    for line, kind in kinds.items():
        told = tui(f"{line} --json")
        assert told.code == 0, told.err
        found[line] = check(told.out)
        assert found[line]["document"] == kind
    assert found["runs note bbb"]["name"] == "a name"
    assert found["runs delete bbb"]["ids"] == found["runs restore"]["ids"] == [last]
    assert found["runs --sort size"]["runs"][0]["size"] > 0
    first, *_ = tui("watch bbb --json").out.splitlines()
    assert check(first)["event"] == "run_started"


@pytest.mark.heavy
def test_commands_that_use_a_network(tui: Tui, train: Tui, check: Check) -> None:
    def kinds(told: Any) -> set[str]:
        assert told.code in (0, 1) or "is not being trained" in told.err, told.err
        lines = [check(line) for line in told.out.splitlines()]
        return {value.get("document") or value["event"] for value in lines}

    trained = kinds(train("--data breast_cancer --json"))
    assert {"run_started", "epoch_finished", "run_finished"} <= trained
    Path("new.csv").write_text(
        ",".join(f"x{n}" for n in range(30)) + "\n" + ",".join("1" for _ in range(30)) + "\n"
    )
    np.savez("new.npz", inputs=np.ones((3, 30), np.float32))
    for line, kind in {
        "evaluate latest --split validation": "evaluation",
        "explain latest": "explanation",
        "calibrate latest": "calibration",
        "calibrate latest --undo": "calibration",
        "threshold latest --f1": "threshold",
        "threshold latest": "threshold",
        "threshold latest --undo": "threshold",
        "predict latest new.npz": "predictions",
        "predict latest new.npz --csv out.csv": "predictions",
        "export latest --to csv": "export",
        "report latest": "file",
        "runs rerun latest": "rerun",
        "queue latest": "queue",
        "lr-find --data iris": "lr_find",
        "batch-find --data iris": "batch_find",
        "profile --data iris --seconds 0.1 --try none": "profile",
        "doctor --seconds 0.1": "doctor",
        "system --processes 2": "system",
        "stop latest": "error",
    }.items():
        assert kinds(tui(f"{line} --json")) == {kind}, line
    assert "seeds_finished" in kinds(train("--seeds 2 --json"))
    assert "folds_finished" in kinds(train("--folds 2 --json"))
    search = "tune --no-ui --data iris --model mlp --epochs 2 --device cpu --trials 2 --json"
    assert kinds(tui(f"{search} -p lr=0.1,0.2")) == {"trial_finished", "study_finished"}
    assert kinds(tui(f"{search} -p lr=0.1,0.3 --confirm 2")) >= {"trial_confirmed", "study_confirmed"}
    studies = [study.name for study in Path("runs").glob("study_*")]
    assert kinds(tui(f"tune compare {' '.join(studies)} --json")) == {"studies"}
    assert kinds(tui("tune plot latest --json")) == {"file"}
    assert kinds(tui(f"runs show {studies[0]} --json")) == {"study"}
    assert as_dict(FailureDocument(error="X", message="y"))["document"] == "error"
