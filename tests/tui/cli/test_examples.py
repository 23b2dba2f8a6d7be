"""The examples of own data and own models run as they stand, in the process of the tests."""

import csv
import runpy
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.events import EpochFinished
from core.runs.folder import find_run
from core.runs.log import LogReader
from core.runs.summary import summarise
from tests.support.repository import REPOSITORY
from tui.runtime import streams


@pytest.fixture
def example(
    tui: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """Runs an example in an empty folder; what it and the commands that it starts print."""

    run_process = subprocess.run

    def run(command: Sequence[str], **options: Any) -> Any:
        """Stands for ``subprocess.run``: no process for ``tui``."""
        if command[:3] != [sys.executable, "-m", "tui"]:
            return run_process(command, **options)
        execute("tui.__main__", runpy.run_module, *command[3:])
        return None

    def execute(name: str, way: Callable[..., Any], *options: str) -> None:
        monkeypatch.setattr(sys, "argv", [name, *options])
        code: object = 0
        try:
            way(name, run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        assert code == 0

    def example(name: str, *options: str) -> tuple[str, str]:
        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setattr(streams, "_results", None)  # where an earlier command of this process kept them
        execute(str(REPOSITORY / "examples" / f"{name}.py"), runpy.run_path, *options)
        return capsys.readouterr()

    return example


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("own_model", 0.5), ("own_arrays", 0.6)])
def test_an_example_trains(name: str, least: float, example: Callable[..., tuple[str, str]]) -> None:
    out, _ = example(name, "--device", "cpu", "--threads", "1")
    (line,) = (line for line in out.splitlines() if line.startswith(" accuracy "))
    assert float(line.split()[1]) > least


@pytest.mark.heavy
def test_own_masks(example: Callable[..., tuple[str, str]]) -> None:
    out, _ = example("own_masks", "--device", "cpu", "--threads", "1")
    (line,) = (line for line in out.splitlines() if line.startswith(" mean IoU "))
    assert float(line.split()[2]) > 0.7


@pytest.mark.slow
def test_own_table(example: Callable[..., tuple[str, str]]) -> None:
    out, err = example("own_table")
    assert "filled missing values with the median of the training rows: rooms 1" in err
    answers = csv.DictReader(out[out.index("id,prediction") :].splitlines())
    prices = {row["id"]: float(row["prediction"]) for row in answers}
    assert set(prices) == {"small", "large", "?"}
    assert 180_000 < prices["small"] < 260_000 < 480_000 < prices["large"] < 580_000


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "metric", "share", "samples"),
    [
        ("own_vae", "loss", 0.9, "png"),
        ("own_language_model", "bits_per_character", 0.3, "txt"),
        ("own_contrastive", "loss", 0.8, ""),
        ("own_gan", "loss", 0.7, "png"),
    ],
)
def test_a_network_with_its_own_step_learns(
    name: str,
    metric: str,
    share: float,
    samples: str,
    example: Callable[..., tuple[str, str]],
    tmp_path: Path,
) -> None:
    """The number falls below a share of what it was after the first epoch; what is to be looked at lies in the run."""
    example(name, "--device", "cpu", "--threads", "1", "--runs", str(tmp_path / "runs"))
    run = find_run(tmp_path / "runs", "latest")
    events = LogReader(run.log_file).read()
    epochs = [event.validation[metric] for event in events if isinstance(event, EpochFinished)]
    assert min(epochs) < share * epochs[0]
    assert summarise(run).evaluation["test"][metric] is not None
    found = [file.suffix for file in run.evaluation_folder("test").glob("samples.*")]
    assert found == ([f".{samples}"] if samples else [])
