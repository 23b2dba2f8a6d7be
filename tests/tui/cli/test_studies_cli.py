"""`tui tune compare`, `tui tune plot` and `tui report STUDY`: what studies found, side by side and as charts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.tuning.executors.protocol import Ended, Outcome, TrialTask
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.study import create_study
from core.tuning.study.tuner import tune
from tests.support.instant import Instant
from tests.support.slurm_answers import stand_in
from tui.runtime.study_queue import note_workers

CHARTS = ("history", "slices", "parallel", "contour", "front")


@dataclass
class Priced(Instant):
    """Higher rates are better, and more hidden units cost more."""

    def start(self, task: TrialTask) -> None:
        hidden, lr = task.config["model"]["hidden"][0], task.config["optimizer"]["lr"]
        outcome = Outcome(
            "completed", value=lr + hidden / 1000, epochs=1, costs={"parameters": 10.0 * hidden}
        )
        self._ended.append(Ended(task.trial, outcome))


@pytest.fixture
def studies(tui: Callable[..., Any]) -> list[str]:
    """Names of two complete studies in the folder of runs, which is where the command looks."""
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": 1}})
    names = []
    for rates in ([0.1, 0.2], [0.3, 0.4]):
        ranges = {"optimizer.lr": rates, "model.hidden": [[8], [16]]}
        plan = make_plan(base, ranges, method="grid", metric="accuracy", second="parameters")
        study = create_study(Path("runs"), plan)
        tune(study, Priced(), emit=lambda event: None, control=RunControl())
        names.append(study.name)
    return names


@pytest.mark.slow
def test_studies_are_compared_drawn_and_reported(studies: list[str], tui: Callable[..., Any]) -> None:
    shown = tui(f"tune compare {' '.join(studies)}")
    assert shown.code == 0
    assert [name.removeprefix("study_") in shown.out for name in studies] == [True, True]
    rows = {line.split("  ")[0]: line.split()[-1] for line in shown.out.splitlines() if line}
    assert (rows["second objective"], rows["other end of it"]) == ("parameters", "80")
    found = json.loads(tui(f"tune compare {' '.join(studies)} --json").out)
    assert found["note"] == ""
    assert [one["best"]["value"] for one in found["studies"]] == pytest.approx([0.216, 0.416])
    assert [one["trials"] for one in found["studies"]] == [{"completed": 4}] * 2
    alone = tui(f"tune compare {studies[0]}")
    assert (alone.code, "two or more different studies, got 1" in alone.err) == (2, True)

    for chart in CHARTS:
        drawn = tui(f"tune plot {studies[0]} --chart {chart}")
        assert drawn.code == 0
        assert len(drawn.out.splitlines()) > 15, chart
    assert tui(f"tune plot {' '.join(studies)} --chart spread -o spread.svg").code == 0
    assert Path("spread.svg").read_bytes().startswith(b"<?xml")
    assert tui(f"tune plot {studies[0]} --chart contour -o contour.png").code == 0
    assert Path("contour.png").read_bytes().startswith(b"\x89PNG")
    wrong = tui(f"tune plot {studies[0]} -o history.pdf")
    assert (wrong.code, "It ends in .svg, .png or .txt" in wrong.err) == (2, True)

    letters = " ".join(name[-3:] for name in studies)
    assert tui(f"report {letters} -o studies.html").code == 0
    page = Path("studies.html").read_text()
    for text in (*studies, "Front", "Configuration of trial", "tui train --no-ui"):
        assert text in page


def test_a_study_is_shown_with_its_jobs(
    studies: list[str], tui: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(Path("runs") / studies[0])
    assert json.loads(tui(f"runs show {studies[0]} --json").out)["jobs"] == []
    answer = stand_in(tmp_path / "bin", monkeypatch)
    for array in ("31", "32"):
        note_workers(folder, array)
        answer("squeue", "31_1|PENDING|Priority|N/A||0:00|1:00|gpu\n32_1|RUNNING|None|9|n1|0:05|1:00|gpu\n")
    shown = json.loads(tui(f"runs show {studies[0]} --json").out)["jobs"]
    assert [(job["id"], job["state"]) for job in shown] == [("32", "RUNNING"), ("31", "PENDING")]
    lines = tui(f"runs show {studies[0]}").out.splitlines()
    assert [line.split(" ")[:3] for line in lines[-2:]] == [
        ["running", "job", "32"],
        ["pending", "job", "31"],
    ]
