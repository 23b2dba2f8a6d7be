"""Bounds of agents, tool by tool; nothing is trained: the processes that would be started are only noted."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, InputError, RunError, TorchtuiError, UntrustedCode
from core.events import EvaluationFinished
from core.runs.agents.grants import grants_of, left
from core.runs.agents.guard import GRANT, WAITED, guard_this_process
from core.runs.agents.session import Budget, stop_session
from core.runs.folder import Run, all_runs
from core.runs.labels import read_labels
from core.runs.log import EventLog
from core.runs.opening import record_test_opening
from core.runs.origin.together import together_of
from core.session.repeats import group_of
from tests.support.written_runs import write_run
from tui.cli.agents import acting, computing, reading
from tui.cli.agents.agent import Agent, Place
from tui.cli.agents.bounds import LOCKED, config_of
from tui.headless.documents.envelope import as_dict
from tui.runtime.user_queue import adding
from tui.runtime.user_queue.leaving import stop_agents
from tui.runtime.user_queue.store import read_lineup

IRIS = {"data": "iris", "model": "mlp"}


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return Agent(Place(work / "runs", None, (work.resolve(),), Budget(60, 10)), "a client")


class Idle:
    """A stand-in that does nothing, whatever is asked of it."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *values, **facts: None


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """The runs that would have been started, with the grant that their processes would carry."""
    found: list[tuple[list[str], str]] = []

    def one(run: Run, data_root: Path | None, environment: Mapping[str, str]) -> None:
        found.append(([run.id], environment[GRANT]))

    monkeypatch.setattr(acting, "launch_in_background", one)
    monkeypatch.setattr(adding, "start_working", lambda: None)
    monkeypatch.setattr(adding, "gpus_here", tuple)
    return found


def opened_run(agent: Agent) -> Run:
    """Write a run whose test split the user has opened."""
    run = write_run(agent.place.runs_dir, "2026-01-01_0000_iris-mlp_abc", IRIS)
    log = EventLog(run)
    log.write(EvaluationFinished(split="test", metrics={"accuracy": 0.4321}))
    log.write(EvaluationFinished(split="validation", metrics={"accuracy": 0.9}))
    log.close()
    record_test_opening(run, {"accuracy": 0.4321})
    return run


@pytest.mark.parametrize("path", sorted(LOCKED))
def test_the_test_split_cannot_be_moved(agent: Agent, path: str) -> None:
    section, _, field = path.partition(".")
    for settings in ({path: 0}, {section: {field: 0}}):
        with pytest.raises(ConfigError, match="is locked"):
            acting.start_run(agent, settings)
    with pytest.raises(ConfigError, match="is locked"):
        acting.tune(agent, [f"{path}=0,1"], IRIS)
    assert not all_runs(agent.place.runs_dir)


def test_runs_never_look_at_test(agent: Agent, launched: list[tuple[list[str], str]]) -> None:
    for like in ("", "abc"):  # the user's own runs do, at their end
        opened_run(agent) if not like else None
        (name,) = acting.start_run(agent, IRIS, like=like).runs
        assert Run(agent.place.runs_dir / name).config().evaluated_splits == ("validation",)


def test_no_tool_shows_test_numbers(agent: Agent) -> None:
    run = opened_run(agent)
    found: list[Any] = [
        reading.list_runs(agent),
        reading.show_run(agent, run.id),
        reading.metric_history(agent, run.id),
        reading.session(agent),
    ]
    assert "0.4321" not in str([as_dict(document) for document in found])
    assert found[1].evaluation == {"validation": {"accuracy": 0.9}}
    assert not reading.list_runs(agent, "test.accuracy<0.5").runs, "nor lets an agent search for them"
    assert reading.list_runs(agent, "validation.accuracy>0.5").runs


@pytest.mark.parametrize("name", ["/etc/passwd", "../other.csv", "~/x.csv", "link.csv", "../net.py:Net"])
def test_files_elsewhere(agent: Agent, name: str, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n")
    os.symlink(tmp_path / "other.csv", "link.csv")
    with pytest.raises(InputError, match="lies outside"):
        acting.start_run(agent, {"data": {"name": "csv", "path": name}})
    with pytest.raises(InputError, match="lies outside"):
        computing.predict(agent, "latest", name)


def test_files_here(agent: Agent) -> None:
    Path("my.csv").write_text("a,b\n1,2\n")
    assert config_of({}, {"data": "my.csv", "lr": 0.5}, agent.place).data.name == "csv"


def test_code_needs_the_consent_of_the_user(agent: Agent, launched: list[tuple[list[str], str]]) -> None:
    Path("net.py").write_text(
        "class Net: ...\ndef mine(a, b): ...\nmine.higher_is_better = True\nraise SystemExit('it ran')\n"
    )
    for settings in ({"model": "net.py:Net"}, {"metrics": ["net.py:mine"]}):
        with pytest.raises(UntrustedCode, match="Ask the user"):
            acting.start_run(agent, IRIS | settings)
    with pytest.raises(UntrustedCode, match="Ask the user"):
        acting.tune(agent, ["lr=0.1,0.2"], IRIS, metric="net.py:mine")
    assert launched == []
    assert left(agent.session) == Budget(60, 10)


@pytest.mark.parametrize("reference", ["/tmp/other", "../runs/x"])
def test_runs_elsewhere(agent: Agent, reference: str) -> None:
    for ask in (reading.show_run, reading.metric_history, acting.stop, acting.resume_run, reading.show_study):
        with pytest.raises(RunError, match="not in the folder of runs"):
            ask(agent, reference)


def test_what_is_started_carries_its_budget_and_its_mark(
    agent: Agent, launched: list[tuple[list[str], str]]
) -> None:
    told = acting.start_run(agent, IRIS | {"lr": 0.01}, seeds=3, minutes=20, name="wide")
    assert (told.minutes_left, told.runs_left) == (40, 7)
    entries, names = read_lineup().of("waiting"), told.runs
    assert [Path(entry.run).name for entry in entries] == names
    assert [Path(entry.after).name for entry in entries] == ["", *names[:-1]], "one after the other"
    assert {entry.variables[GRANT] for entry in entries} == {str(agent.session.folder / "grants" / "1")}
    assert told.notes == ["they are entries 1 to 3 of the user's queue, one after the other"]
    runs = [Run(agent.place.runs_dir / name) for name in names]
    assert [run.config().training.seed for run in runs] == [0, 1, 2]
    assert [run.id for run in group_of(runs[1])] == names
    assert together_of(runs[0])
    assert {(read_labels(run.path).name, *read_labels(run.path).tags) for run in runs} == {
        ("wide", "agent:a-client")
    }
    folds = acting.start_run(agent, IRIS, folds=4)
    assert folds.runs_left == 3
    assert "behind 3 others; their minutes pass meanwhile" in folds.notes[1]
    with pytest.raises(RunError, match="Ask for at most 3"):
        acting.start_run(agent, IRIS, seeds=4)
    with pytest.raises(RunError, match="Ask for at most 3"):
        acting.tune(agent, ["lr=log:1e-3..1"], IRIS, trials=4)


def test_what_could_not_be_started_costs_nothing(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> None:
        raise RunError("no room")

    monkeypatch.setattr(acting, "create_run", fails)
    with pytest.raises(RunError, match="no room"):
        acting.start_run(agent, IRIS)
    assert left(agent.session) == Budget(60, 10)


def test_only_what_agents_started_is_stopped_or_resumed(
    agent: Agent, launched: list[tuple[list[str], str]]
) -> None:
    write_run(agent.place.runs_dir, "2026-01-01_0000_iris-mlp_abc", IRIS, status="stopped")
    for act in (acting.stop, acting.resume_run):
        with pytest.raises(RunError, match="was not started by an agent"):
            act(agent, "abc")
    (mine,) = acting.start_run(agent, IRIS).runs
    assert acting.resume_run(agent, mine).runs_left == 8


def test_what_waits_in_the_queue_holds_its_budget_until_it_leaves(
    agent: Agent, launched: list[tuple[list[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = acting.start_run(agent, IRIS, seeds=3, minutes=20).runs
    assert {reading.show_run(agent, name).status for name in names} == {"pending"}
    later = time.time() + 10 * 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert left(agent.session) == Budget(40, 7)
    assert acting.stop(agent, names[2]).to == names[2]
    assert left(agent.session) == Budget(40, 7)
    guarded = read_lineup().of("waiting")[0].variables
    for name in (GRANT, WAITED):
        monkeypatch.setenv(name, guarded[name])
    monkeypatch.setattr("core.runs.agents.guard.threading.Thread", lambda **facts: Idle())
    monkeypatch.setattr("core.runs.agents.guard.signal", Idle())
    guard_this_process()
    (grant,) = grants_of(agent.session)
    assert [path.name for path in grant.folder.glob("waits-*")] == [f"waits-{names[1]}"]
    assert stop_agents(agent.session) == names[:2]
    assert not read_lineup().entries
    assert not [*grant.folder.glob("waits-*")]


def test_nothing_starts_in_a_stopped_session(agent: Agent, launched: list[tuple[list[str], str]]) -> None:
    write_run(agent.place.runs_dir, "2026-01-01_0000_iris-mlp_abc", IRIS)
    stop_session(agent.session)
    for act in (
        lambda: acting.start_run(agent, IRIS),
        lambda: acting.tune(agent, ["lr=0.1,0.2"], IRIS),
        lambda: computing.evaluate_run(agent, "abc"),
    ):
        with pytest.raises(TorchtuiError, match="the user has stopped"):
            act()
    assert reading.session(agent).stopped
    assert launched == []


def test_answers_are_short_unless_more_is_asked_for(agent: Agent) -> None:
    write_run(agent.place.runs_dir, "2026-01-01_0000_iris-mlp_abc", IRIS)
    (short,) = reading.list_runs(agent).runs
    (whole,) = reading.list_runs(agent, settings=True).runs
    assert short.config == {"data": {"name": "iris"}, "model": {"name": "mlp"}}
    assert whole.config["optimizer"]["name"]
    assert not any(choice.fields for choice in reading.list_choices(agent, "optimizer").choices)
    (adam,) = reading.list_choices(agent, "optimizer", "adam").choices
    assert "lr" in [field.name for field in adam.fields]
    with pytest.raises(InputError, match="no optimizer 'adams'"):
        reading.list_choices(agent, "optimizer", "adams")
