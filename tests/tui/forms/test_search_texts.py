"""Texts of the search form: their meaning, and the command with the same one."""

from pathlib import Path
from typing import Any

import pytest

from core.slurm.settings import SlurmSettings
from core.tuning.executors import where
from core.tuning.executors.where import Where
from tui.forms.search_command import search_command
from tui.forms.search_form import review
from tui.forms.search_settings import CHANGES, SETTINGS
from tui.forms.search_texts import Search

RANGES = {"optimizer.lr": "0.1..1"}


def test_what_a_setting_does_fits_into_two_lines_of_a_narrow_window() -> None:
    assert [spec.path for spec in (*SETTINGS, *CHANGES) if len(spec.about) > 140] == []


def test_every_setting_stands_in_the_command_and_in_the_plan(tmp_path: Path) -> None:
    search = Search(
        RANGES,
        method="random",
        metric="accuracy",
        direction="minimize",
        trials="",
        timeout="2h",
        patience="15",
        max_epochs="500",
        start_with="run a, k3f",
        learn_from="x7p",
        confirm="3",
        keep="2",
        jobs="2",
        trial_memory="1.5",
        processes="3",
        storage="postgresql://me@host/db",
    )
    state = review({}, search)
    assert state.problems == {}
    assert state.plan is not None
    plan, given = state.plan, state.given
    assert (plan.direction, plan.trials, plan.keep) == ("minimize", None, 2)
    assert (plan.patience, plan.max_epochs) == (15, 500)
    assert (given.seconds, given.where) == (7200, Where(2, 1.5, processes=3))
    assert (given.start_with, given.learn_from, given.confirm) == (("run a", "k3f"), ("x7p",), 3)
    assert state.sentence == "ready: as many trials as the limits allow, of 20 epochs, 2 at once"
    least = review({"training": {"min_steps": 1000}}, search).sentence
    assert " of 20 epochs, or 1,000 steps where that is more, 2 at once" in least
    assert search_command(plan, search, given, tmp_path) == (
        "tui tune --no-ui --method random --direction minimize --timeout 2h --keep 2 --metric accuracy "
        "--patience 15 --max-epochs 500 --start-with 'run a' --start-with k3f --learn-from x7p --confirm 3 "
        "--jobs 2 --trial-memory 1.5 --processes 3 --storage postgresql://me@host/db -p optimizer.lr=0.1..1 "
        f"--runs {tmp_path}"
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("trials", "", "enter a number ≥ 1, or give another limit"),
        ("timeout", "soon", "enter a time such as 90s, 10m or 2h"),
        ("timeout", "0", "enter a time such as 90s, 10m or 2h"),
        ("patience", "-1", "enter a number ≥ 0"),
        ("max_epochs", "0", "enter a number ≥ 1"),
        ("keep", "all", "enter a number ≥ 0"),
        ("confirm", "1", "enter a number of seeds ≥ 2, or 0"),
        ("trial_memory", "0", "enter a number of GB, or auto"),
        ("trial_memory", "nan", "enter a number of GB, or auto"),
        ("gpus_per_trial", "0.5", "only for the executor ray"),
        ("ray_address", "auto", "only for the executor ray"),
        ("processes", "0", "enter a number ≥ 1"),
        ("storage", "host/db", "enter a URL such as postgresql://user@host/database"),
        ("storage", "postgresql://me:word@host/db", "leave the password to PGPASSWORD or ~/.pgpass"),
    ],
)
def test_what_is_wrong_with_a_setting(name: str, text: str, problem: str) -> None:
    given: dict[str, Any] = {name: text}
    state = review({}, Search(RANGES, **given))
    assert state.plan is None
    assert state.problems == {name: problem}


@pytest.mark.parametrize("installed", [True, False])
def test_only_executors_that_are_installed_are_offered(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(where, "missing", lambda: "" if installed else "there is no sbatch")
    assert where.available_executors() == (("local", "ray", "slurm") if installed else ("local",))


def test_jobs_of_slurm_are_told_with_their_settings() -> None:
    search = Search(RANGES, executor="slurm", jobs="3")
    job = SlurmSettings(partition="gpu", setup=("module load cuda",))
    state = review({}, search, job)
    assert state.plan is not None
    assert state.sentence.endswith(", 3 at once, in jobs of Slurm")
    command = search_command(state.plan, search, state.given, Path("runs"))
    assert "--executor slurm --partition gpu --setup 'module load cuda' --jobs 3" in command
    wrong = review({}, search, None, {"run_in.time": "'x' is not a duration"})
    assert wrong.plan is None
    assert wrong.sentence == "Can't start: run_in.time: 'x' is not a duration"
