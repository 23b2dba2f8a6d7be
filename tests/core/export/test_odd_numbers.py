"""Numbers that float32 does not hold: the run, an exported network and new rows agree about them."""

from pathlib import Path

import numpy as np
import pytest

from core.export.export import export
from core.inference.inputs import read_inputs
from core.inference.stored import saved_evaluation
from core.runs.data_facts import known_data
from core.runs.folder import Run
from core.session.evaluation import score_inputs, trained_model
from tests.core.export.test_export import predicted, quietly
from tests.support.fixtures import TrainRun
from tests.support.narrow import some

CASES = Path(__file__).parents[1] / "data" / "tables" / "cases"
RANDOM = np.random.default_rng(0)


def arrays(folder: Path) -> Path:
    """Rows around 1e8, some with a mistyped number, and targets around 1.7e9."""
    rows = np.stack([1e8 + RANDOM.normal(size=200), RANDOM.normal(size=200)], 1)
    numbers = 1.7e9 + 10 * (rows[:, 0] - 1e8) + rows[:, 1]
    rows[[7, 50, 120, 150], 1] = 1e9
    np.savez(folder / "my.npz", x=rows, y=numbers)
    return folder / "my.npz"


def ask(run: Run, path: Path) -> np.ndarray:
    """Return the answers for new rows, as `tui predict` gives them."""
    return score_inputs(trained_model(run, samples=False), read_inputs(path, some(known_data(run))).inputs)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "pt2"])
@pytest.mark.parametrize("name", ["i16_tiny_numbers.csv", "i17_huge_offset.csv", "arrays"])
@pytest.mark.heavy
def test_run_export_and_new_rows_agree(name: str, to: str, train_run: TrainRun, tmp_path: Path) -> None:
    if to == "onnx":
        pytest.importorskip("onnxscript")
    path = arrays(tmp_path) if name == "arrays" else CASES / name
    run = train_run({"data": str(path), "training": {"epochs": 3}}).run
    export(run, to, tmp_path / "out", data_root=None, progress=quietly)
    known = some(saved_evaluation(run, "validation")).predictions
    spread = known.targets.std()
    ours = ask(run, path)
    _, *rows = predicted(tmp_path / "out", path)
    numbers = np.array([float(row[0]) for row in rows])
    assert np.abs(ours[known.indices] - known.scores).max() < 1e-3 * spread
    assert np.abs(numbers - ours).max() < 1e-2 * spread  # 1e15 and 0.1 is hardly another float64
    assert ours.std() > 1e-3 * spread
