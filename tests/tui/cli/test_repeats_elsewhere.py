"""`tui train --folds` and `--seeds` on every host: a run each, whose group is known before any of them trains."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import from_dict
from core.errors import RunError
from core.events import RunFinished
from core.runs.folder import Run, all_runs
from core.runs.jobs.record import JobRecord, write_job
from core.runs.lock import HANDED_OVER, is_held
from core.runs.log import EventLog
from core.runs.origin.together import together_of
from core.runs.summary import summarise
from core.session.repeats import group_of
from core.slurm.job import SlurmJob
from tests.support.slurm_answers import stand_in
from tests.support.written_runs import write_run
from tests.tui.cli.conftest import Tui
from tui.headless import train as headless
from tui.runtime.hosts import background, processes, slurm
from tui.runtime.hosts.host import WantedRun
from tui.runtime.hosts.slurm import Slurm
from tui.runtime.user_queue import adding
from tui.runtime.user_queue.store import read_lineup

SHORT = "--data iris --model mlp --epochs 2 --device cpu --threads 1"


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that nobody works on, on a machine without GPUs."""
    monkeypatch.setattr(adding, "start_working", lambda: None)
    monkeypatch.setattr(adding, "gpus_here", tuple)


def numbers(runs: list[Run]) -> list[tuple[int, int]]:
    return [(run.config().data.fold, run.config().training.seed) for run in runs]


def started_once(runs: list[Run]) -> bool:
    """Return whether they all keep the name of one start."""
    (name,) = {together_of(run) for run in runs}
    return bool(name)


def test_each_fold_is_an_entry_of_the_queue(tui: Tui, queue: None) -> None:
    answer = tui(f"train {SHORT} --folds 3 --run-in queue --name five --log tensorboard")
    assert answer.code == 0, answer.err
    entries = read_lineup().of("waiting")
    runs = [Run(Path(entry.run)) for entry in entries]
    assert numbers(runs) == [(1, 0), (2, 0), (3, 0)]
    assert [entry.title for entry in entries] == ["five fold 1", "five fold 2", "five fold 3"]
    assert {entry.variables["TUI_LOG"] for entry in entries} == {"tensorboard"}
    assert not any(entry.after for entry in entries), "free GPUs are used at once"
    first = runs[0].id
    assert answer.out.splitlines()[:3] == [
        "3 runs are entries 1 to 3 of the queue",
        f"follow  tui watch {first}",
        f"stop    tui stop {first} --group",
    ]
    assert [run.id for run in group_of(runs[1])] == [run.id for run in runs]
    assert started_once(runs)
    again = tui(f"train --no-ui --resume {first} --folds 3 --run-in queue --json")
    assert len(read_lineup().entries) == 3, "none waits twice"
    assert json.loads(again.out.splitlines()[-1])["completed"] == 0
    assert tui(f"stop {first} --group").out.count("asked") == 3
    assert read_lineup().entries == ()


def test_seeds_are_added_by_the_command_of_the_queue(tui: Tui, queue: None) -> None:
    answer = tui(f"queue add train {SHORT} --seed 4 --seeds 2")
    assert answer.code == 0, answer.err
    entries = read_lineup().of("waiting")
    assert numbers([Run(Path(entry.run)) for entry in entries]) == [(1, 4), (1, 5)]
    assert [entry.title.partition("  ")[2] for entry in entries] == ["seed 4", "seed 5"]
    assert answer.out.count("needs no GPU") == 2


def test_what_would_run_is_shown_for_each(tui: Tui) -> None:
    shown = tui(f"train {SHORT} --seeds 3 --run-in queue --dry-run").out.splitlines()
    assert [line.partition("--seed ")[2][:1] for line in shown] == ["", "1", "2"]
    assert all(line.startswith("tui train --no-ui --data iris") for line in shown)
    job = tui(f"train {SHORT} --folds 2 --run-in slurm --dry-run")
    assert job.out.startswith("#!/bin/bash")
    assert "data.folds=2" in job.out
    assert job.err.startswith("one job like this for each fold, which train:\ntui train")
    assert "--folds 2 --no-ui --processes 2" in tui(f"train {SHORT} --folds 2 --processes 2 --dry-run").out
    each = json.loads(tui(f"train {SHORT} --folds 2 --run-in queue --dry-run --json").out)["each"]
    assert "data.fold=2" in each[1]["command"]
    assert not Path("runs").exists()


class Ended:
    """A background process that writes how it ended as soon as it is asked."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def poll(self) -> int:
        log = EventLog(self.run)
        log.write(RunFinished(status="completed"))
        log.close()
        return 0


@pytest.mark.parametrize(("host", "more"), [("background", []), ("processes", ["--processes", "3"])])
def test_a_process_of_its_own_trains_one_after_the_other(
    tui: Tui, monkeypatch: pytest.MonkeyPatch, host: str, more: list[str]
) -> None:
    asked: list[tuple[Run, list[str]]] = []

    def launch(run: Run, data_root: Path | None, more: list[str]) -> Ended:
        asked.append((run, [*more]))
        return Ended(run)

    monkeypatch.setattr(background, "launch_in_background", launch)
    monkeypatch.setattr(processes, "launch_in_background", launch)
    if not more:
        answer = tui(f"train {SHORT} --folds 3 --run-in background --name b")
        assert answer.code == 0, answer.err
        assert "trains in the background, 2 others after it" in answer.out
        assert started_once(all_runs(Path("runs")))
    else:  # as the form starts it: in the terminal the command itself is that process
        config = from_dict({"data": {"name": "iris", "folds": 3}})
        wanted = [WantedRun(config, Path("runs"), None)] * 3
        processes.Processes(processes=3).start_all(wanted, ["--folds", "3", "--name", "b"])
    ((run, words),) = asked
    assert words[:4] == ["--folds", "3", "--name", "b"]
    assert words[-len(more) or 4 :] == more
    assert len(all_runs(Path("runs"))) == 3
    assert run in all_runs(Path("runs"))


def test_several_processes_train_each_and_ctrl_c_ends_all(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[str] = []

    def execute(host: processes.Processes, words: list[str]) -> int:
        trained.append(words[words.index("--resume") + 1])
        return 130 if len(trained) == 2 else 0

    monkeypatch.setattr(processes.Processes, "execute", execute)
    answer = tui(f"train {SHORT} --seeds 3 --processes 2")
    assert answer.code == 130
    assert numbers([Run(Path(path)) for path in trained]) == [(1, 0), (1, 1)]
    assert "seed 1, 2 of 3:" in answer.out
    assert started_once(all_runs(Path("runs")))
    assert "--seeds 3" in answer.out.splitlines()[-1]


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Runs for which jobs were submitted; Slurm refuses the fourth."""
    runs: list[Run] = []

    def submit(run: Run, settings: Slurm, data_root: Path | None) -> SlurmJob:
        if len(runs) == 3:
            raise RunError("Slurm refuses: too many jobs")
        runs.append(run)
        job = SlurmJob(str(len(runs)), "PENDING")
        write_job(run, JobRecord(job, 0.0, 0.0, ours=True))
        return job

    monkeypatch.setattr(slurm, "submit_run", submit)
    monkeypatch.setattr(Slurm, "unavailable", classmethod(lambda cls: ""))
    return runs


def cancelled(folder: Path) -> list[str]:
    return sorted(line.split()[-1] for line in (folder / "bin" / "scancel.asked").read_text().splitlines())


def test_each_fold_is_a_job_and_all_are_cancelled_at_once(
    tui: Tui, submitted: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch)
    answer = tui(f"train {SHORT} --folds 3 --run-in slurm")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("3 runs are the jobs 1, 2, 3 of Slurm\n")
    assert [summarise(run).status for run in submitted] == ["pending"] * 3
    assert started_once(submitted)
    assert tui(f"stop {submitted[1].id} --group").code == 0
    assert cancelled(tmp_path) == ["1", "2", "3"]


def test_of_jobs_that_slurm_refuses_none_is_left(
    tui: Tui, submitted: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch)
    answer = tui(f"train {SHORT} --folds 5 --run-in slurm")
    assert (answer.code, answer.err) == (2, "error: Slurm refuses: too many jobs\n")
    assert cancelled(tmp_path) == ["1", "2", "3"]
    assert all_runs(Path("runs")) == []


def test_what_waits_for_its_turn_is_held_until_then(
    tui: Tui, queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tui(f"train {SHORT} --folds 3 --run-in queue")
    entries = read_lineup().entries
    runs = [Run(Path(entry.run)) for entry in entries]
    for entry in entries:
        adding.remove(entry.id)
    seen: list[tuple[bool, ...]] = []

    def train(config: object, run: Run, *, view: Any, **others: object) -> int:
        seen.append(tuple(map(is_held, runs)))
        assert (HANDED_OVER in os.environ) == (run.id != runs[0].id)
        if run.id != runs[0].id:
            os.close(int(os.environ.pop(HANDED_OVER)))
        view.run = run
        return 0

    monkeypatch.setattr(headless, "train", train)
    answer = tui(f"train --no-ui --resume {runs[0].id} --folds 3")
    assert answer.code == 0, answer.err
    assert seen == [(False, True, True), (False, True, True), (False, False, True)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--folds 2 --seeds 2", "--folds and --seeds exclude each other"),
        ("--resume latest --checkpoint last --seeds 2", "--checkpoint returns one run, and --seeds is of"),
        ("--resume latest --folds 4", "--folds: got 4"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(tui: Tui, queue: None, line: str, words: str) -> None:
    write_run(Path("runs"), "2026-01-01_0000_iris-mlp_abc", {"data": "iris"}, status="stopped")
    given = "" if "--resume" in line else SHORT
    answer = tui(f"train {given} {line} --run-in queue")
    assert answer.code == 2
    assert words in answer.err
    assert answer.err.count("\n") == 1
    assert len(all_runs(Path("runs"))) == 1


@pytest.mark.slow
def test_a_group_is_one_while_some_have_found_their_network_and_others_wait(
    train: Tui, tui: Tui, queue: None
) -> None:
    tui("train --data iris --epochs 1 --device cpu --threads 1 --seeds 3 --run-in queue")
    runs = [Run(Path(entry.run)) for entry in read_lineup().entries]
    adding.remove(1)
    assert tui(f"train --no-ui --quiet --resume {runs[0].id}").code == 0
    assert runs[0].config().loss.name != runs[1].config().loss.name == "auto"
    assert [[one.id for one in group_of(run)] for run in runs] == [[one.id for one in runs]] * 3
    assert tui(f"stop {runs[0].id} --group").out.count("asked") == 2
