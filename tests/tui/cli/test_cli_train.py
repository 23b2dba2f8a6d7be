"""`tui train --no-ui` and `tui runs`: what is printed where, and the exit codes."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pyte
import pytest
import yaml

from core.runs.folder import Run, find_run
from core.runs.summary import summarise
from tests.support.fixtures import WriteRun

Tui = Callable[..., Any]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def names(told: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in told if event["event"] != "step_logged"]


def evaluated(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the evaluation of the test split, which is the last one."""
    *_, last = (event for event in told if event["event"] == "evaluation_finished")
    assert last["split"] == "test"
    return last


def latest() -> Run:
    return find_run(Path("runs"), "latest")


def no_network(url: str, timeout: float) -> None:
    raise URLError("Temporary failure in name resolution")


def without_control_characters(text: str) -> bool:
    return all(character.isprintable() for character in text.replace("\n", ""))


# -- what is printed -------------------------------------------------------------------------------------------


def test_json_is_one_event_a_line_and_nothing_else(train: Tui) -> None:
    answer = train("--json")
    assert (answer.code, answer.err) == (0, "")
    told = events(answer.out)
    by_chance = ("notice", "step_logged", "system_sampled")
    shown = [name for name in names(told) if name not in by_chance]
    assert shown[:4] == ["run_started", *["epoch_finished"] * 3]
    assert shown[-3:] == ["evaluation_finished", "evaluation_finished", "run_finished"]
    assert names(told)[-1] == "run_finished"
    assert all(event["v"] == 1 and event["time"] > 1e9 and event["run"] == latest().id for event in told)
    assert answer.out == latest().log_file.read_text(), "the log holds the same lines"
    epoch = next(event for event in told if event["event"] == "epoch_finished")
    assert {"epoch", "step", "train", "validation", "seconds", "lr"} <= epoch.keys()
    assert set(epoch["train"]) == set(epoch["validation"]) == {"loss", "accuracy"}
    test = evaluated(told)
    assert {
        *("accuracy", "precision_macro", "recall_macro", "f1_macro"),
        *("roc_auc_macro", "average_precision_macro", "log_loss"),
    } <= test["metrics"].keys()
    assert told[-1]["status"] == "completed"


def test_json_of_a_regression(train: Tui) -> None:
    test = evaluated(events(train("--data diabetes --json").out))
    assert {"r2", "mae", "rmse"} <= test["metrics"].keys()


@pytest.mark.slow
def test_plain_lines_for_a_log_file(train: Tui) -> None:
    answer = train("")
    assert (answer.code, answer.err) == (0, "")
    assert without_control_characters(answer.out)
    lines = answer.out.splitlines()
    assert lines[0] == "multiclass  train 108  validation 12  test 30  803 parameters  cpu  1 thread"
    for number in (1, 2, 3):
        assert re.fullmatch(
            rf"epoch {number}/3  loss \d\.\d{{4}}  accuracy \d\.\d{{4}}"
            r"  validation loss \d\.\d{4}  validation accuracy \d\.\d{4}  \d+\.\d\d s(  \*)?",
            lines[number],
        )
    for word in (
        "test: 30 samples",
        "accuracy",
        "F1 (macro)",
        "versicolor",
        "true ↓ predicted →",
        "completed: 3 of 3",
    ):
        assert word in answer.out
    assert lines[-1] == f"run     runs/{latest().id}"


@pytest.mark.slow
def test_the_number_that_chose_the_best_epoch_is_named(train: Tui) -> None:
    answer = train("--set training.monitor=accuracy")
    assert re.search(r"^best epoch \d by accuracy: loss", answer.out, re.MULTILINE)


@pytest.mark.slow
def test_quiet_prints_nothing(train: Tui) -> None:
    answer = train("--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert summarise(latest()).status == "completed"


@pytest.mark.slow
def test_an_encoding_without_the_characters_is_no_reason_to_fail(
    train: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", printed)
        assert train("").code == 0
        printed.flush()
    text = printed.buffer.getvalue().decode("ascii")
    assert "true ? predicted ?" in text


def test_a_terminal_gets_a_row_an_epoch_and_the_report(train: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.engine.LOG_SECONDS", 0.0)  # a progress bar at every step
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    answer = train("")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"━.*loss 0\.\d{4}  accuracy 0\.\d{4}  .*/s  .* left", answer.out), "the bar was there"
    screen = pyte.Screen(110, 100)
    pyte.Stream(screen).feed(answer.out.replace("\n", "\r\n"))
    shown = [line.rstrip() for line in screen.display]
    heading = shown.index("  epoch     loss accuracy  val loss val accuracy  seconds")
    assert [line.split()[0].lstrip("★") or line.split()[1] for line in shown[heading + 1 : heading + 4]] == [
        *("1", "2", "3")
    ]
    assert any("test: 30 samples" in line for line in shown[heading + 4 :])
    assert not any("━" in line and "left" in line for line in shown), "and left the screen at the end"
    assert answer.out.endswith("\n")
    assert "\x1b[?25l" in answer.out
    assert answer.out.rindex("\x1b[?25h") > answer.out.rindex("\x1b[?25l"), "the cursor is back"


# -- endings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["", "--json", "--quiet"])
def test_divergence_is_exit_1_and_a_sentence(train: Tui, form: str) -> None:
    answer = train(f"--lr 1e30 {form}")
    assert answer.code == 1
    assert re.fullmatch(
        r"error: the .*loss became NaN or infinite in epoch \d, step \d+ \(learning rate 1e\+30\): .*\n",
        answer.err,
    )
    assert "Traceback" not in answer.out + answer.err
    assert summarise(latest()).status == "diverged"
    if form == "--json":
        assert events(answer.out)[-1]["status"] == "diverged"


def test_an_error_nobody_expected_is_exit_1_and_told_whole(
    train: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError("by\x1b[31mzero")

    monkeypatch.setattr("core.session.session.train", fail)
    answer = train("--json")
    assert answer.code == 1
    assert "Traceback" in answer.err
    assert answer.err.endswith("error: ZeroDivisionError: by␛[31mzero\n")
    assert events(answer.out)[-1]["status"] == "failed"


def test_resume(train: Tui, tui: Tui) -> None:
    train("--json")
    run = latest()
    assert tui("train --no-ui --resume latest").err.startswith(f"error: {run.id} is complete: 3 epochs")
    answer = tui(f"train --no-ui --resume {run.id} --epochs 5 --json")
    assert answer.code == 0
    told = events(answer.out)
    assert (told[0]["epoch"], told[0]["epochs"]) == (3, 5)
    assert [event["epoch"] for event in told if event["event"] == "epoch_finished"] == [4, 5]
    assert {event["run"] for event in told} == {run.id}
    assert [path.name for path in Path("runs").iterdir()] == [run.id]
    assert tui("runs show latest").out.count("completed: 5 of 5 epochs") == 1


def test_a_stopped_run_says_how_to_go_on_wherever_it_is(train: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop_at_once(control: Any) -> bool:
        control.stop()
        return True

    monkeypatch.setattr("core.control.RunControl.attention", property(stop_at_once))
    answer = train("--runs 'my runs'")
    run = find_run(Path("my runs"), "latest")
    assert answer.code == 0, "nobody interrupted it"
    assert answer.out.endswith(f"resume  tui train --no-ui --resume {run.id} --runs 'my runs'\n")


@pytest.mark.slow
def test_a_run_whose_data_has_gone_is_failed(
    tui: Tui, vision_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = "--epochs 1 --batch-size 300 --device cpu --threads 1"
    assert tui(f"train --no-ui --quiet --data mnist --data-root {vision_root} {brief}").code == 0
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    answer = tui("train --no-ui --resume latest --epochs 2 --data-root elsewhere")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert summarise(latest()).status == "failed"
    assert summarise(latest()).error.startswith("cannot download train-images-idx3-ubyte")


# -- listing ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_runs_are_listed(train: Tui, tui: Tui) -> None:
    assert tui("runs").err == "no runs yet; start one with: tui train --no-ui\n"
    assert json.loads(tui("runs --json").out)["runs"] == []
    train("--quiet")
    (Path("runs") / "2020-01-01_0000_iris-mlp_aaa").mkdir()
    listed = json.loads(tui("runs --json").out)["runs"]
    assert [run["status"] for run in listed] == ["completed", "damaged"]
    good, damaged = listed
    assert (
        {"id", "status", "data", "model", "epochs", "metrics", "started"}
        <= good.keys()
        <= damaged.keys() | {"error"}
    )
    assert (good["id"], good["data"], good["model"], good["epochs"]) == (latest().id, "iris", "mlp", 3)
    assert good["metrics"].keys() == {"loss", "accuracy"}
    assert damaged["error"]
    table = tui("runs").out
    assert without_control_characters(table)
    assert re.search(rf"{good['id']} +completed +3/3 +\d+ s ago ", table)
    assert re.search(r"_aaa +damaged +0 +\d+ y ago ", table)
    shown = json.loads(tui(f"runs show {good['id']} --json").out)
    assert shown["evaluation"].pop("test")["accuracy"] > 0  # that nobody has opened is shown of one run alone
    assert good.items() <= shown.items()
    assert json.loads(tui("runs --runs elsewhere --json").out)["runs"] == []


def test_a_list_of_runs_sets_the_reason_apart_from_the_numbers(tui: Tui, write_run: WriteRun) -> None:
    run = write_run("2026-01-02_0300_digits-mlp_abc", [0.5], finished=False)
    (line,) = tui(f"runs --runs {run.path.parent}").out.splitlines()
    assert "  loss 0.5000  accuracy 0.8333  its process ended unexpectedly" in line


@pytest.mark.slow
def test_where_runs_are_kept(train: Tui, tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    train("--quiet --runs deep/folder")
    monkeypatch.setenv("TUI_RUNS", "deep/folder")
    assert len(json.loads(tui("runs --json").out)["runs"]) == 1
    assert not Path("runs").exists()


# -- wrong use -------------------------------------------------------------------------------------------------


def test_without_a_terminal_the_right_command_is_named(tui: Tui) -> None:
    for line in ("", "train", "train --data iris"):
        answer = tui(line)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.count("\n") == 1
        assert "tui train --no-ui" in answer.err


BAD = {
    "unknown dataset": ("--data mnits", "data.name: no such name 'mnits'. Did you mean 'mnist'?"),
    "unknown model": ("--model mpl", "model.name: no such name 'mpl'. Did you mean 'mlp'?"),
    "unknown optimizer": ("--optimizer adma", "Did you mean 'adam'?"),
    "unknown section": ("--set modle.hidden=[3]", "modle: unknown key. Did you mean 'model'?"),
    "unknown key": ("--set model.hiden=[3]", "model.hiden: unknown key. Did you mean 'hidden'?"),
    "lr 0": ("--lr 0", "optimizer.lr: got 0, takes a number > 0"),
    "lr negative": ("--lr -1", "optimizer.lr: got -1, takes a number > 0"),
    "lr nan": ("--lr nan", "optimizer.lr: got nan, takes a finite number"),
    "batch size 0": ("--batch-size 0", "training.batch_size: got 0, takes a number >= 1"),
    "epochs -1": ("--epochs -1", "training.epochs: got -1, takes a number >= 1"),
    "val 1.5": ("--val 1.5", "data.validation: got 1.5, takes a number < 1"),
    "val leaves no train": ("--val 0.999", "data.validation: 0.999 of 120 samples cannot be held out"),
    "not YAML": ("--config broken.yaml", "config: broken.yaml is not YAML at line 1"),
    "missing file": ("--config missing.yaml", "config: cannot read missing.yaml: No such file"),
    "no assignment": ("--set epochs", "'epochs' is not an assignment. Write PATH=VALUE"),
    "no cuda": ("--device cuda", "training.device: cuda is not available here. Devices here: auto, "),
    "loss does not fit": ("--data diabetes --loss hinge", "Losses that fit: auto, mse"),
    "model does not fit": ("--model cnn", "model.name: cnn takes images"),
    "runs not writable": ("--runs broken.yaml/runs", "cannot write broken.yaml/runs: Not a directory"),
    "no such run": ("--resume nothing", "no run 'nothing' in runs"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_exit_2_and_one_line(name: str, tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Path("broken.yaml").write_text("data: [")
    line, says = BAD[name]
    answer = tui(f"train --no-ui --data iris {line}")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["broken.yaml"], "nothing is written"


def test_no_network_is_exit_2_and_one_line(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    answer = tui("train --no-ui --data mnist --data-root data")
    assert answer.code == 2
    assert re.fullmatch(r"error: cannot download .*name resolution.*--data-root\n", answer.err)
    assert not [path for path in Path().rglob("*") if path.is_file()]


@pytest.mark.slow
def test_resume_keeps_the_settings_of_the_run(train: Tui, tui: Tui) -> None:
    train("--quiet")
    before = latest().config_file.read_text()
    answer = tui("train --no-ui --resume latest --lr 0.5")
    assert answer.code == 2
    assert "only --epochs, max_minutes and patience can change" in answer.err
    assert latest().config_file.read_text() == before
    assert yaml.safe_load(before)["optimizer"]["lr"] == 0.01


@pytest.mark.parametrize("flag", ["--json", "--quiet", "--resume=x"])
def test_headless_flags_need_no_ui(tui: Tui, flag: str) -> None:
    answer = tui(f"train {flag}")
    assert answer.code == 2
    assert re.fullmatch(
        r"error: --(json|quiet|resume) needs --no-ui\. Use: tui train --no-ui .*\n", answer.err
    )
