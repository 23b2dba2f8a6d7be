"""Several runs as one model: `--together` of evaluate, predict and export, and the run that keeps the result."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.evaluation.predictions import Predictions
from core.runs.folder import all_runs

Tui = Callable[..., Any]


@pytest.fixture
def seeds(train: Tui) -> list[str]:
    """Ids of two runs of one configuration, by their seed."""
    assert train("--seeds 2 --quiet").code == 0
    return [run.id for run in sorted(all_runs(Path("runs")), key=lambda run: run.config().training.seed)]


@pytest.mark.slow
def test_the_mean_of_scores_is_evaluated_and_kept_as_a_run(tui: Tui, seeds: list[str]) -> None:
    answer = tui(f"evaluate {' '.join(seeds)} --together --json")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    together = next(run for run in all_runs(Path("runs")) if run.id == told["run"])
    parts = [
        Predictions.load(Path("runs", name) / "evaluation" / "test" / "predictions.npz") for name in seeds
    ]
    stored = Predictions.load(together.evaluation_folder("test") / "predictions.npz")
    assert np.allclose(stored.scores, (parts[0].scores.astype(float) + parts[1].scores) / 2)
    hits = stored.scores.argmax(axis=1) == parts[0].targets
    assert told["metrics"]["accuracy"] == pytest.approx(hits.mean())
    again = tui(f"evaluate {' '.join(reversed(seeds))} --together --json")
    assert json.loads(again.out)["run"] == together.id
    compared = tui(f"compare {' '.join(seeds)} {together.id} --split test --json")
    assert compared.code == 0
    assert "not comparable" not in compared.out


@pytest.mark.slow
def test_a_threshold_that_only_one_of_them_has_does_not_count_and_is_told(tui: Tui, train: Tui) -> None:
    assert train("--data breast_cancer --seeds 2 --epochs 1 --quiet").code == 0
    one, other = sorted(run.id for run in all_runs(Path("runs")))
    np.save("new.npy", np.zeros((2, 30), dtype=np.float32))
    note = "the threshold of 1 of 2 runs does not count, the usual one decides"
    assert note not in tui(f"evaluate {one} {other} --together").out
    assert tui(f"threshold {one} --costs 1,9").code == 0
    assert note in tui(f"evaluate {one} {other} --together").out
    assert note in tui(f"predict {one} {other} new.npy --together").err
    assert tui(f"threshold {other} --costs 1,9").code == 0
    assert "does not count" not in tui(f"evaluate {one} {other} --together").out
    assert "does not count" not in tui(f"predict {one} {other} new.npy --together").err


@pytest.mark.heavy
def test_predict_and_export_answer_with_the_mean(tui: Tui, seeds: list[str]) -> None:
    np.save("new.npy", np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], dtype=np.float32))
    alone = [scores_of(tui(f"predict {name} new.npy").out) for name in seeds]
    together = scores_of(tui(f"predict {' '.join(seeds)} new.npy --together").out)
    assert together == pytest.approx((alone[0] + alone[1]) / 2)
    answer = tui(f"export {' '.join(seeds)} --together --to pt2 -o exported")
    assert answer.code == 0
    assert Path("exported/model.pt2").is_file()
    kept = next(run for run in all_runs(Path("runs")) if "_together_" in run.id)
    assert scores_of(tui(f"predict {kept.id} new.npy").out) == pytest.approx(together)


def scores_of(out: str) -> Any:
    return np.array([[float(cell) for cell in line.split(",")[2:]] for line in out.splitlines()[1:]])


@pytest.mark.heavy
def test_folds_have_the_test_samples_in_common_alone(tui: Tui, train: Tui) -> None:
    train("--folds 2 --quiet")
    names = " ".join(run.id for run in all_runs(Path("runs")))
    answer = tui(f"evaluate {names} --together --split validation")
    assert answer.code != 0
    assert "not evaluated on the same validation samples" in answer.err
    assert not [run for run in all_runs(Path("runs")) if "_together_" in run.id]
    assert tui(f"evaluate {names} --together").code == 0
    np.save("new.npy", np.zeros((1, 4), dtype=np.float32))
    assert tui(f"predict {names} new.npy --together").code == 0
    answer = tui(f"export {names} --together --to pt2 -o exported")
    assert answer.code != 0
    assert "read their data differently" in answer.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("evaluate latest --together", "--together needs several runs"),
        ("evaluate latest latest", "got 2 runs, takes one"),
        ("evaluate latest latest --together", "one run alone is no group"),
        ("evaluate latest latest --together --checkpoint last", "Leave out --checkpoint"),
    ],
)
def test_a_number_of_runs_that_does_not_fit_is_refused(tui: Tui, train: Tui, line: str, message: str) -> None:
    train("--quiet")
    answer = tui(line)
    assert answer.code == 2
    assert message in answer.err
