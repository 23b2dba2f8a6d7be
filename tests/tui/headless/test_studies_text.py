"""Studies and trials as text: names and values are printed as they are."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.tuning.comparison import StudyFacts
from core.tuning.study.records import TrialRecord
from core.tuning.study.study import TuningStudy
from tui.headless.studies_report import print_studies
from tui.headless.trials_table import print_trials

WIDE = "[old]/鯨鯨鯨鯨.csv"
TRIAL = TrialRecord(0, "completed", {"data.path": WIDE}, 0.5, 2)


def test_what_looks_like_markup_is_printed_beside_other_studies(capsys: pytest.CaptureFixture[str]) -> None:
    facts: dict[str, Any] = {"method": "random", "pruner": "none", "metric": "loss", "direction": "minimize"}
    rest: dict[str, Any] = {"epochs": 2, "seconds": 1.0, "median": 0.5, "winner": None, "second": ""}
    one = StudyFacts(
        name="study_[b]x", trials={"completed": 1}, best=TRIAL, front=(), data={}, **facts, **rest
    )
    print_studies([one, replace(one, name="study_y")])
    printed = capsys.readouterr().out
    assert "[b]x" in printed
    assert printed.count(WIDE) == 2


def test_a_value_of_double_width_is_printed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = SimpleNamespace(metric="loss", space=SimpleNamespace(domains={"data.path": None}))
    made = SimpleNamespace(
        plan=plan, records=lambda: [TRIAL], ranked=lambda: [TRIAL], folder=SimpleNamespace(path=tmp_path)
    )
    print_trials(cast("TuningStudy", made))
    assert WIDE in capsys.readouterr().out
